// Dates in the viewer's own time and words: "2 minutes ago", "yesterday", then the day.
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function words(date) {
  const minutes = Math.round((date - Date.now()) / 60000);
  if (minutes > -1) return "just now";
  if (minutes > -60) return relative.format(minutes, "minute");
  const midnight = new Date().setHours(0, 0, 0, 0);
  const days = Math.floor((date - midnight) / 86400000);
  if (days === 0) return relative.format(Math.round(minutes / 60), "hour");
  return days > -7 ? relative.format(days, "day") : day.format(date);
}

function tell() {
  for (const time of document.querySelectorAll("main time[datetime]")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    const text = "full" in time.dataset ? full.format(date) : words(date);
    if (time.textContent !== text) time.textContent = text;
    time.title = full.format(date);
  }
}

tell();
setInterval(() => document.hidden || tell(), 30000);
document.addEventListener("visibilitychange", () => document.hidden || tell());
document.addEventListener("htmx:load", tell);
