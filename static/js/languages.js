// One language for all samples of the page, the one that the reader chose last.
{
  const NAME = "faceswap.language";

  function choose(language) {
    for (const radio of document.querySelectorAll("[data-language]")) radio.checked = radio.value === language;
  }

  function remembered() {
    try { return localStorage.getItem(NAME); } catch { return null; }
  }

  function remember(language) {
    try { localStorage.setItem(NAME, language); } catch { /* not remembered, then */ }
  }

  document.addEventListener("change", (event) => {
    if (!("language" in event.target.dataset)) return;
    choose(event.target.value);
    remember(event.target.value);
  });
  const known = [...document.querySelectorAll("[data-language]")].find((radio) => radio.value === remembered());
  if (known && !new URLSearchParams(location.search).has("language")) choose(known.value);
}
