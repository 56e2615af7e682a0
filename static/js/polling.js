// Polling is quiet while nobody looks, and patient while the server does not answer.
const LONGEST_PAUSE = 30000;
const HIDDEN_PAUSE = 5000; // of what the title of a hidden page shows
let pause = 0;
let quietUntil = 0;
let askedAt = 0;

const isPoll = (event) => /\bevery\b/.test(event.detail.elt.getAttribute("hx-trigger") ?? "");

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!isPoll(event)) return;
  const now = Date.now();
  const isAskedWhileHidden = "whileHidden" in event.detail.elt.dataset && now - askedAt > HIDDEN_PAUSE;
  if ((document.hidden && !isAskedWhileHidden) || now < quietUntil) event.preventDefault();
  else askedAt = now;
});

function wait() {
  pause = Math.min(LONGEST_PAUSE, Math.max(2000, pause * 2));
  quietUntil = Date.now() + pause;
}
document.addEventListener("htmx:responseError", wait);
document.addEventListener("htmx:sendError", wait);
document.addEventListener("htmx:timeout", wait);
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) pause = quietUntil = 0;
});

// A swap that is gone (deleted elsewhere): there is nothing to ask about any more.
document.addEventListener("htmx:responseError", (event) => {
  if (isPoll(event) && event.detail.xhr.status === 404) location.reload();
});

function refresh() {
  if (document.hidden) return;
  pause = quietUntil = 0;
  for (const poller of document.querySelectorAll("[hx-trigger*='refresh']")) htmx.trigger(poller, "refresh");
}
document.addEventListener("visibilitychange", refresh);
addEventListener("online", refresh);
// Back from another page: the browser may show the page as it was left.
addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
