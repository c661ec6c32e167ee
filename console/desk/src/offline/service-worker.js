// Keeps the console's own files, so that a reload with a dead server shows our offline page and not the
// browser's error. Never touches /api: what is live comes from the server or not at all. A new version waits until
// somebody asks for it. The build writes in the version, the screens' addresses and the built files.
const [VERSION, ROUTES, FILES] = ["@version", "@routes", "@files"];
const PAGE = ROUTES[0];
const OURS = `anshang${PAGE}.`;
const KEPT = OURS + VERSION;

self.addEventListener("install", (event) => {
  const fresh = [PAGE, ...FILES].map((path) => new Request(path, { cache: "reload" }));
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(fresh)));
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith(OURS) && name !== KEPT);
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))));
});

self.addEventListener("message", (event) => {
  if (event.data === "update") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== self.location.origin || pathname.startsWith("/api/")) return;
  if (!(mode === "navigate" ? ROUTES : FILES).includes(pathname)) return;
  const found = caches.open(KEPT).then((cache) => cache.match(mode === "navigate" ? PAGE : pathname));
  event.respondWith(found.then((answer) => answer ?? fetch(event.request)));
});
