/** The mean of what is known; null when nothing is. */
export function meanOf(values: readonly (number | null)[] | undefined): number | null {
  const known = (values ?? []).filter((value) => value !== null);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}
