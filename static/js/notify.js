// A notification when the swaps are ready, for people who asked for it and look elsewhere.
const button = document.getElementById("notify");
const WISH = "tell-me-when-ready";

const isOn = () => localStorage.getItem(WISH) === "yes" && Notification.permission === "granted";

function show() {
  const isWaiting = document.querySelector("#poller[hx-get]") || document.activeElement === button;
  button.hidden = !isWaiting || Notification.permission === "denied";
  button.setAttribute("aria-pressed", isOn());
}

async function change() {
  if (isOn()) localStorage.removeItem(WISH);
  else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(WISH, "yes");
  show();
}

function notify(event) {
  if (!document.hidden || !isOn()) return;
  try {
    const note = new Notification("Faceswap", { body: event.detail.text, tag: "swaps" });
    note.addEventListener("click", () => { focus(); note.close(); });
  } catch { // phones show none without a service worker
    button.remove();
  }
}

if (button && "Notification" in window) {
  show();
  button.addEventListener("click", change);
  document.addEventListener("htmx:load", show);
  document.addEventListener("swaps:ready", notify);
}
