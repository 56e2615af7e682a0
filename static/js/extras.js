// More faces for a photo of several people: each of them goes onto another face of the target.
const MOST = 6;
const extras = [];
(() => {
  const section = form.querySelector(".extras");
  const list = section.querySelector("ul");
  const adder = section.querySelector(".adder");
  const sample = section.querySelector("template");
  const faces = () => places[1].state().photo?.faces ?? [];
  const point = (face) => [face.x + face.width / 2, face.y + face.height / 2].map((value) => value.toFixed(4)).join(",");
  const radios = () => [...form.querySelectorAll("[name=target_face]")];
  const mine = () => radios().findIndex((radio) => radio.checked);
  const taken = (except) => [mine(), ...extras.filter((each) => each !== except).map((each) => each.target)];
  const free = (except) => faces().findIndex((_, number) => !taken(except).includes(number));

  function add(file) {
    const row = list.appendChild(sample.content.cloneNode(true).firstElementChild);
    const find = (selector) => row.querySelector(selector);
    const extra = { row, photo: null, target: free(null), isBusy: () => !extra.photo };
    extras.push(extra);
    find("img").src = URL.createObjectURL(file);
    const sending = photos.send({ image: file, place: "source" }, {
      progress() {},
      changed(seen) {
        if (!seen) return;
        const isFirst = !extra.photo;
        extra.photo = seen;
        find(".small").textContent = seen.status === "refused" ? seen.message : seen.says[0] ?? "";
        write();
        if (isFirst) release();
      },
      failed(message) {
        remove();
        say(message || "That picture could not be sent. Try again.");
        release();
      },
    });
    const remove = () => {
      sending.cancel();
      if (extra.photo) photos.remove(extra.photo.id);
      extras.splice(extras.indexOf(extra), 1);
      row.remove();
      write();
    };
    find("select").addEventListener("change", (event) => {
      const wanted = Number(event.target.value);
      const other = extras.find((each) => each !== extra && each.target === wanted);
      if (other) other.target = extra.target;
      extra.target = wanted;
      write();
    });
    find("button").addEventListener("click", () => {
      remove();
      adder.focus();
    });
    say("");
    write();
    find("select").focus();
  }

  function say(text) {
    const wrong = section.querySelector(".wrong");
    wrong.hidden = !text;
    wrong.querySelector("span").textContent = text;
  }

  // What the form sends, and what the boxes and the lists say, by what is chosen now.
  function write() {
    const found = faces();
    const isAll = form.querySelector("[name=target_faces]")?.checked;
    const isPossible = found.length > 1 && !isAll && radios().length > 0;
    for (const extra of isPossible ? extras : []) if (taken(extra).includes(extra.target) || extra.target >= found.length) extra.target = free(extra);
    section.hidden = !isPossible;
    adder.hidden = extras.length + 1 >= Math.min(MOST, found.length);
    form.querySelector(".pair").classList.toggle("mixed", isPossible && extras.length > 0);
    for (const extra of extras) {
      const select = extra.row.querySelector("select");
      select.replaceChildren(...found.map((_, number) => {
        const option = new Option(`onto face ${number + 1}`, String(number), false, number === extra.target);
        option.disabled = number === mine();
        return option;
      }));
      const hidden = extra.row.querySelector("input[type=hidden]");
      hidden.disabled = !isPossible || !extra.photo || extra.target < 0;
      if (!hidden.disabled) hidden.value = `${extra.photo.id};;${point(found[extra.target])}`;
    }
  }

  section.querySelector("input[type=file]").addEventListener("change", (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    const reason = photos.unfit(file);
    if (reason) say(reason);
    else add(file);
  });
  adder.addEventListener("click", () => section.querySelector("input[type=file]").click());
  form.addEventListener("settled", write);
  form.addEventListener("change", write);
})();
