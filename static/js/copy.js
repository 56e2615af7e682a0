// Buttons that copy: data-copy="#id" names the element whose text (or value) is taken.
// The button's first span, or the button itself, says "Copied" for two seconds; so does a voice.
{
  const voice = document.createElement("p");
  voice.className = "visually-hidden";
  voice.setAttribute("role", "status");
  document.body.append(voice);

  // Without https there is no clipboard: the old way, by a selection.
  function copyBySelection(text) {
    const field = document.createElement("textarea");
    field.className = "visually-hidden";
    field.value = text;
    document.body.append(field);
    const focused = document.activeElement;
    field.select();
    const isCopied = document.execCommand("copy");
    field.remove();
    focused?.focus();
    if (!isCopied) throw new Error("not copied");
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyBySelection(text);
    }
  }

  function say(button, word) {
    const label = button.querySelector("span") ?? button;
    button.dataset.idle ??= label.textContent;
    label.textContent = word;
    voice.textContent = word;
    clearTimeout(Number(button.dataset.timer));
    button.dataset.timer = setTimeout(() => {
      label.textContent = button.dataset.idle;
      voice.textContent = "";
      delete button.dataset.copied;
    }, 2000);
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    const from = button && document.querySelector(button.dataset.copy);
    if (!from) return;
    try {
      await copy((from.value ?? from.textContent).trim());
      button.dataset.copied = "";
      say(button, "Copied");
    } catch {
      getSelection().selectAllChildren(from);
      say(button, "Not copied");
    }
  });
}
