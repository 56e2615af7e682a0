// Before and after: the range moves the line. Listens on the document, so swapped-in pictures work.
document.addEventListener("input", (event) => {
  const compare = event.target.closest?.("[data-compare]");
  if (!compare) return;
  const percent = Number(event.target.value);
  compare.style.setProperty("--at", String(percent / 100));
  compare.classList.toggle("mostly-before", percent > 82);
  compare.classList.toggle("mostly-after", percent < 18);
  event.target.setAttribute("aria-valuetext", `${percent} percent before`);
});
