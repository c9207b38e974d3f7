// Sends the calls that are tried on the reference page. The key stays in this tab.
"use strict";
(() => {
  const key = document.getElementById("key");
  if (!key) return;
  key.value = sessionStorage.getItem("hrhub-key") || "";
  key.addEventListener("input", () => sessionStorage.setItem("hrhub-key", key.value));
  const opened = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", opened);
  opened();

  const request = (form) => {
    let path = form.dataset.path;
    const query = new URLSearchParams();
    const headers = {};
    if (key.value) headers.Authorization = `Bearer ${key.value}`;
    for (const field of form.querySelectorAll("[data-in]")) {
      if (field.value === "") continue;
      if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
      else if (field.dataset.in === "header") headers[field.name] = field.value;
      else query.append(field.name, field.value);
    }
    const body = form.elements.body && form.elements.body.value !== "" ? form.elements.body.value : undefined;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const asked = query.toString();
    return [path + (asked ? `?${asked}` : ""), { method: form.dataset.method, headers, body }];
  };

  const told = (text) => {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  };

  for (const form of document.querySelectorAll("form.try")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const output = form.querySelector("output");
      const line = document.createElement("p");
      const text = document.createElement("pre");
      try {
        const [path, init] = request(form);
        const answer = await fetch(path, { ...init, credentials: "omit", redirect: "manual" });
        line.textContent = `${init.method} ${path} → ${answer.status}`;
        text.textContent = told((await answer.text()).slice(0, 200000));
      } catch (error) {
        line.textContent = String(error);
      }
      output.replaceChildren(line, text);
    });
  }
})();
