// Keys of the review desk. The page works without: each key only does what a link, a button or
// a fold of the page does, and is written beside it (data-key).
"use strict";

const typing = "input, textarea, select, [contenteditable]";

const keyed = (key) =>
  [...document.querySelectorAll("[data-key]")].find(
    (one) => one.dataset.key === key && one.checkVisibility(),
  );

const fold = (summary) => {
  const details = summary.parentElement;
  details.open = !details.open;
  const first = details.querySelector("textarea, select, input:not([type=hidden]), button");
  (details.open && first ? first : summary).focus();
};

// A form that opens below the edge of the window would look as if nothing had happened.
for (const details of document.querySelectorAll(".actions details")) {
  details.addEventListener("toggle", () => {
    if (details.open) details.scrollIntoView({ block: "nearest" });
  });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") {
    const open = event.target.closest("details[open]") || document.querySelector(".actions details[open]");
    if (open) fold(open.querySelector("summary"));
    return;
  }
  if (event.target.closest(typing)) return;
  const found = keyed(event.key.toLowerCase());
  if (!found || event.repeat) return;
  event.preventDefault();
  if (found.tagName === "SUMMARY") fold(found);
  else found.click();
});

// What is left of the ten seconds in which a decision can be undone.
const left = document.querySelector("[data-until]");
if (left) {
  const end = Date.now() + 1000 * Number(left.dataset.until);
  const tick = () => {
    const seconds = Math.ceil((end - Date.now()) / 1000);
    if (seconds <= 0) location.reload();
    else {
      left.textContent = `${seconds} s`;
      setTimeout(tick, 250);
    }
  };
  tick();
}
