// What no live event announces (the age of a sensor's word, the installation's accounts) is asked again while
// it is looked at.

export function askAgain(answers: { refresh(): void }[], every_ms: number): void {
  $effect(() => {
    const ask = () => document.hidden || answers.forEach((answer) => answer.refresh());
    const timer = setInterval(ask, every_ms);
    return () => clearInterval(timer);
  });
}
