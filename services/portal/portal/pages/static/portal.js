// What is nicer with a script: files go from here straight to the store, with their hash and a bar. Everything else works without.
"use strict";

document.documentElement.classList.add("js");

const HASHED_UP_TO = 64 * 1024 * 1024; // larger files go as a form post, which the server reads afterwards

document.addEventListener("change", (event) => {
  const input = event.target.closest("input[type=file][data-start]");
  if (input) sendAll(input, [...input.files]);
});

for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => {
    const input = event.target.closest?.(".item")?.querySelector("input[type=file][data-start]");
    if (!input || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (kind === "drop") sendAll(input, [...event.dataTransfer.files]);
  });
}

async function sendAll(input, files) {
  const answered = document.querySelector(`input[name="outcome-${input.dataset.item}"][value="answered"]`);
  if (answered) answered.checked = true;
  for (const file of files) {
    await sendOne(input, file);
  }
  input.value = "";
}

async function sendOne(input, file) {
  const line = progressLine(input.dataset.item, file.name);
  try {
    const sha256 = file.size <= HASHED_UP_TO ? await hash(file) : "";
    const target = await ask(input.dataset.start, { name: file.name, size: file.size, sha256 });
    await toStore(target, file, (share) => { line.bar.value = share; });
    await ask(target.complete, {});
    await refresh(input.dataset.item);
    line.element.remove();
  } catch (error) {
    line.element.classList.add("error");
    line.element.textContent = `${file.name}: ${error.message}`;
  }
}

function progressLine(item, name) {
  const element = document.createElement("p");
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.setAttribute("aria-label", `Sending ${name}`);
  element.append(name, bar);
  document.getElementById(`sending-${item}`).append(element);
  return { element, bar };
}

async function hash(file) {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function ask(url, body) {
  const csrf = document.querySelector("input[name=csrf]").value;
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", "x-csrf": csrf },
    body: JSON.stringify(body),
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.title || "That did not work. Try again.");
  return told;
}

// XMLHttpRequest, because fetch tells nothing of how far an upload is.
function toStore(target, file, progressed) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(target.method, target.url);
    for (const [name, value] of Object.entries(target.headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => progressed(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? resolve() : reject(new Error("The file could not be stored. Try again.")));
    request.onerror = () => reject(new Error("The connection was lost. Try again."));
    request.send(target.method === "PUT" ? file : form(target.fields, file));
  });
}

function form(fields, file) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  data.append("file", file);
  return data;
}

// Only what the file changes is fetched again: whatever else was typed on the page stays.
async function refresh(item) {
  const page = await fetch(location.pathname, { headers: { accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  for (const part of [`head-${item}`, `files-${item}`]) {
    const now = fresh.getElementById(part);
    if (now) document.getElementById(part).replaceWith(now);
  }
}
