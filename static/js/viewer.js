// The viewer of a swap: a sweep to "before" and back, hold to compare, zoom and pan, arrow keys.
// On a picture that fits, a drag moves the line and a press shows "before"; on a larger one a drag
// pans. The slider of compare.js stays what it is, for the keyboard and for the line itself.
{
  const HOLD_MS = 180;
  const TAP_MS = 300;
  const SLOP = 8; // pixels that a finger trembles
  const STEP = 1.6;

  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const middle = (points) => ({
    x: points.reduce((sum, point) => sum + point.x, 0) / points.length,
    y: points.reduce((sum, point) => sum + point.y, 0) / points.length,
  });
  const distance = ([one, other]) => Math.hypot(one.x - other.x, one.y - other.y);

  function open(viewer) {
    const frame = viewer.querySelector("[data-compare]");
    const range = frame.querySelector("input");
    const images = [...frame.querySelectorAll("img")];
    const hold = viewer.querySelector("[data-hold]");
    const zoomButtons = Object.fromEntries(
      [...viewer.querySelectorAll("[data-zoom]")].map((button) => [button.dataset.zoom, button]),
    );
    const view = { zoom: 1, x: 0, y: 0 };
    const fingers = new Map();
    // {kind, start}: a "press", until it is a "hold", "wipe", "pan", "scroll" or "pinch".
    let gesture = null;
    let timer = 0;
    let tap = { at: 0, x: 0, y: 0 };

    // As large as its own pixels, or twice as large as shown where that is more.
    const most = () => Math.max(2, images[1].getAttribute("width") / frame.clientWidth);
    const place = (event) => {
      const box = frame.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    const stopSweep = () => frame.classList.remove("sweep");

    function show({ zoom, x, y }) {
      view.zoom = clamp(zoom, 1, most());
      view.x = clamp(x, frame.clientWidth * (1 - view.zoom), 0);
      view.y = clamp(y, frame.clientHeight * (1 - view.zoom), 0);
      frame.style.setProperty("--zoom", view.zoom);
      frame.style.setProperty("--x", `${view.x}px`);
      frame.style.setProperty("--y", `${view.y}px`);
      frame.classList.toggle("zoomed", view.zoom > 1);
      // Not disabled: the focus would be lost.
      zoomButtons.out.ariaDisabled = String(view.zoom <= 1);
      zoomButtons.in.ariaDisabled = String(view.zoom >= most());
      if (view.zoom > 1) loadFull();
    }
    function zoomAt(point, zoom) {
      const by = clamp(zoom, 1, most()) / view.zoom;
      show({ zoom, x: point.x - (point.x - view.x) * by, y: point.y - (point.y - view.y) * by });
    }
    const centre = () => ({ x: frame.clientWidth / 2, y: frame.clientHeight / 2 });

    // A preview is not sharp enough any more: the whole picture takes its place once it is here.
    function loadFull() {
      for (const image of images) {
        const { full } = image.dataset;
        if (!full) continue;
        delete image.dataset.full;
        const whole = new Image();
        whole.src = full;
        whole.decode().then(() => {
          image.removeAttribute("srcset");
          image.src = full;
        }, () => {});
      }
    }

    function holdOn() {
      stopSweep();
      frame.classList.add("holding");
    }
    const letGo = () => frame.classList.remove("holding");

    function wipe(point) {
      range.value = Math.round((point.x / frame.clientWidth) * 100);
      range.dispatchEvent(new Event("input", { bubbles: true }));
    }

    frame.addEventListener("pointerdown", (event) => {
      stopSweep();
      if (event.target === range || event.button) return;
      frame.setPointerCapture(event.pointerId);
      const start = place(event);
      fingers.set(event.pointerId, start);
      clearTimeout(timer);
      letGo();
      if (fingers.size === 2) {
        gesture = { kind: "pinch" };
      } else if (fingers.size === 1) {
        gesture = { kind: "press", start };
        timer = setTimeout(() => {
          gesture = { kind: "hold" };
          holdOn();
        }, HOLD_MS);
      }
    });
    frame.addEventListener("pointermove", (event) => {
      const last = fingers.get(event.pointerId);
      if (!last || !gesture) return;
      const point = place(event);
      const before = [...fingers.values()];
      fingers.set(event.pointerId, point);
      const after = [...fingers.values()];
      if (gesture.kind === "press" && distance([gesture.start, point]) > SLOP) {
        clearTimeout(timer);
        const { start } = gesture;
        const isSideways = Math.abs(point.x - start.x) > Math.abs(point.y - start.y);
        gesture.kind = view.zoom > 1 ? "pan" : isSideways ? "wipe" : "scroll";
        frame.classList.toggle("dragged", gesture.kind === "pan");
      }
      if (gesture.kind === "pan") {
        show({ ...view, x: view.x + point.x - last.x, y: view.y + point.y - last.y });
      } else if (gesture.kind === "wipe") {
        wipe(point);
      } else if (gesture.kind === "pinch" && after.length === 2) {
        const [from, to] = [middle(before), middle(after)];
        zoomAt(from, (view.zoom * distance(after)) / distance(before));
        show({ ...view, x: view.x + to.x - from.x, y: view.y + to.y - from.y });
      }
    });
    function end(event) {
      if (!fingers.delete(event.pointerId)) return;
      clearTimeout(timer);
      letGo();
      frame.classList.remove("dragged");
      if (event.type === "pointerup" && gesture?.kind === "press") tapped(place(event));
      gesture = null;
    }
    frame.addEventListener("pointerup", end);
    frame.addEventListener("pointercancel", end);
    function tapped(point) {
      const isDouble = Date.now() - tap.at < TAP_MS && distance([tap, point]) < 4 * SLOP;
      tap = { at: isDouble ? 0 : Date.now(), ...point };
      if (isDouble) zoomAt(point, view.zoom > 1 ? 1 : most());
    }
    // A long press of a finger would open the browser's menu for pictures.
    frame.addEventListener("contextmenu", (event) => fingers.size && event.preventDefault());

    frame.addEventListener("wheel", (event) => {
      const isPageFirst = view.zoom === 1 && (event.deltaY > 0 || scrollY > 0);
      if (isPageFirst && !event.ctrlKey) return;
      event.preventDefault();
      stopSweep();
      const step = (event.deltaMode ? 20 : 1) * (event.ctrlKey ? 0.01 : 0.002); // lines; a pinch
      zoomAt(place(event), view.zoom * Math.exp(-event.deltaY * step));
    }, { passive: false });

    zoomButtons.in.addEventListener("click", () => zoomAt(centre(), view.zoom * STEP));
    zoomButtons.out.addEventListener("click", () => zoomAt(centre(), view.zoom / STEP));
    range.addEventListener("input", stopSweep);
    range.addEventListener("keydown", stopSweep);

    hold.addEventListener("pointerdown", holdOn);
    hold.addEventListener("keydown", (event) => [" ", "Enter"].includes(event.key) && holdOn());
    for (const type of ["pointerup", "pointercancel", "pointerleave", "keyup", "blur"]) {
      hold.addEventListener(type, letGo);
    }
    hold.addEventListener("contextmenu", (event) => event.preventDefault());

    new ResizeObserver(() => show(view)).observe(frame);
    viewer.pan = (x, y) => view.zoom > 1 && (show({ ...view, x: view.x + x, y: view.y + y }), true);
    frame.addEventListener("animationend", stopSweep);
    Promise.all(images.map((image) => image.decode())).then(() => {
      const isLookedAt = fingers.size || range.value !== "0" || calm.matches;
      frame.classList.toggle("sweep", !isLookedAt);
    }, () => {});
  }

  function openAll() {
    for (const viewer of document.querySelectorAll("[data-viewer]:not([data-open])")) {
      viewer.dataset.open = "";
      open(viewer);
    }
  }
  openAll();
  document.addEventListener("htmx:load", openAll);

  // Arrow keys pan a picture that is larger than its frame; else they lead to the next swap.
  const PAN = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] };
  const WAY = { ArrowLeft: "prev", ArrowRight: "next" };
  document.addEventListener("keydown", (event) => {
    const viewer = document.querySelector("[data-viewer]");
    if (!viewer || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (!PAN[event.key] || event.target.closest?.("input, select, textarea")) return;
    if (viewer.pan(...PAN[event.key])) event.preventDefault();
    else viewer.querySelector(`[rel=${WAY[event.key]}]`)?.click();
  });
}
