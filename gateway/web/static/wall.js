// The wall screen: its views take turns, its clock goes, and old figures say how old they are.
"use strict";

(() => {
  const views = [...document.querySelectorAll("[data-view]")];
  const pause = document.querySelector("[data-pause]");
  const period = Number(document.body.dataset.seconds) * 1000;
  const OLD_MS = 120000;
  const clock = document.querySelector("[data-clock]");
  const ahead = Number(clock.dataset.now) - Date.now(); // the city's clock, not the screen's
  let at = Math.max(0, views.findIndex((view) => `#${view.getAttribute("aria-label")}` === decodeURIComponent(location.hash)));
  let timer = 0;

  function show(next) {
    at = (next + views.length) % views.length;
    views.forEach((view, number) => view.classList.toggle("shown", number === at));
    document.body.dataset.shown = String(at);
  }

  function isPaused() {
    return pause.getAttribute("aria-pressed") === "true";
  }

  function run() {
    clearInterval(timer);
    if (!isPaused() && views.length > 1) timer = setInterval(() => show(at + 1), period);
  }

  function toggle() {
    pause.setAttribute("aria-pressed", String(!isPaused()));
    pause.textContent = isPaused() ? pause.dataset.stopped : pause.dataset.running;
    run();
  }

  function turn(step) {
    show(at + step);
    run();
  }

  function length(ms) {
    const { minutes, hours } = clock.dataset;
    const whole = Math.floor(ms / 60000);
    const rest = minutes.replace("{count}", whole % 60);
    return whole < 60 ? rest : `${hours.replace("{count}", Math.floor(whole / 60))} ${rest}`;
  }

  function tick() {
    const now = Date.now() + ahead;
    clock.textContent = new Date(now).toLocaleTimeString("en-GB", { timeZone: "Asia/Shanghai" });
    const told = document.querySelector("[data-computed]");
    const age = now - Number(told.dataset.computed);
    let note = document.querySelector("[data-age]");
    if (age >= OLD_MS && !note) {
      note = document.createElement("small");
      note.dataset.age = "";
      note.className = "old";
      told.closest(".wall-time").append(note);
    }
    if (note) note.textContent = age < OLD_MS ? "" : told.dataset.words.replace("{age}", length(age));
  }

  pause.addEventListener("click", toggle);
  for (const button of document.querySelectorAll("[data-turn]")) {
    button.addEventListener("click", () => turn(Number(button.dataset.turn)));
  }
  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) turn(step);
    if (event.key === " " && event.target.closest?.("button, a") === null) {
      event.preventDefault();
      toggle();
    }
  });
  document.body.classList.add("turning");
  show(at);
  run();
  tick();
  setInterval(tick, 1000);
})();
