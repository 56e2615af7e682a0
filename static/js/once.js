// A form is not posted twice by a double click: the second answer would take the place of the first.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.posted) {
    event.preventDefault();
    return;
  }
  form.dataset.posted = "yes";
  setTimeout(() => delete form.dataset.posted, 5000); // the server may not have answered at all
});
