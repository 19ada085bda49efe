"use strict";

const at = (id) => document.getElementById(id);
let schemas = {};

function make(tag, content, kind) {
  const one = document.createElement(tag);
  if (content !== undefined) one.append(content);
  if (kind) one.className = kind;
  return one;
}

/* A schema with what it refers to put in its place, as far as that ends. */
function whole(schema, seen = []) {
  if (Array.isArray(schema)) return schema.map((one) => whole(one, seen));
  if (schema === null || typeof schema !== "object") return schema;
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return seen.includes(name) ? name : whole(schemas[name] || name, [...seen, name]);
  }
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, whole(value, seen)]));
}

/* What a value of a schema looks like. */
function example(schema) {
  if (typeof schema !== "object" || schema === null) return schema;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const some = (schema.anyOf || schema.oneOf || schema.allOf || [])[0];
  if (some) return example(some);
  if (schema.type === "array") return [example(schema.items || {})];
  if (schema.type === "object" || schema.properties) {
    return Object.fromEntries(Object.entries(schema.properties || {}).map(([name, one]) => [name, example(one)]));
  }
  return { integer: 0, number: 0, boolean: false, string: "" }[schema.type] ?? null;
}

function field(about, value = "") {
  const row = make("div", undefined, "row");
  const label = make("label", about.name);
  const input = make("input");
  input.value = value;
  input.placeholder = about.required ? "" : JSON.stringify(about.schema?.default ?? "");
  input.title = about.description || "";
  label.title = input.title;
  row.append(label, input);
  return { about, row, input };
}

async function send(method, path, fields, body, kind, out) {
  const query = new URLSearchParams();
  let address = path;
  for (const { about, input } of fields) {
    if (about.in === "path") address = address.replace(`{${about.name}}`, encodeURIComponent(input.value));
    else if (input.value !== "") query.set(about.name, input.value);
  }
  if (query.size) address += `?${query}`;
  const headers = at("key").value ? { authorization: `Bearer ${at("key").value.trim()}` } : {};
  if (body) headers["content-type"] = kind;
  out.hidden = false;
  out.textContent = "…";
  const answer = await fetch(address, { method, headers, body: body ? body.value : undefined });
  const text = await answer.text();
  let shown = text;
  try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* CSV and the like */ }
  out.textContent = `${answer.status} ${method} ${address}\n\n${shown.slice(0, 100000)}`;
}

function operation(method, path, about) {
  const box = make("details");
  const title = make("summary");
  title.append(make("span", method, "method"), make("code", path), ` ${about.summary || ""}`);
  box.append(title, make("p", about.description || ""));
  const fields = (about.parameters || []).map((one) => field(one));
  box.append(...fields.map((one) => one.row));
  const [kind, content] = Object.entries(about.requestBody?.content || {})[0] || [];
  let body;
  if (kind) {
    body = make("textarea");
    body.setAttribute("aria-label", kind);
    body.value = kind === "application/json" ? JSON.stringify(example(whole(content.schema)), null, 2) : "";
    box.append(make("p", kind, "soft"), body);
  }
  const out = make("pre");
  out.hidden = true;
  const streams = Object.values(about.responses).some((one) => one.content?.["text/event-stream"]);
  if (!streams) {
    const button = make("button", "Send");
    button.addEventListener("click", () => send(method, path, fields, body, kind, out));
    box.append(button);
  }
  for (const [status, answer] of Object.entries(about.responses)) {
    const inner = make("details");
    const types = Object.entries(answer.content || {});
    inner.append(make("summary", `${status} ${types.map(([type]) => type).join(", ")}`));
    for (const [, { schema }] of types) inner.append(make("pre", JSON.stringify(whole(schema), null, 2)));
    box.append(inner);
  }
  box.append(out);
  return box;
}

async function show() {
  const found = await (await fetch("/api/docs/openapi.json")).json();
  schemas = found.components.schemas;
  at("version").textContent = found.info.version;
  at("about").textContent = found.info.description;
  const parts = found.tags.map((tag) => {
    const section = make("section");
    section.append(make("h2", tag.name), make("p", tag.description, "soft"));
    for (const [path, methods] of Object.entries(found.paths)) {
      for (const [method, about] of Object.entries(methods)) {
        if (about.tags?.includes(tag.name)) section.append(operation(method.toUpperCase(), path, about));
      }
    }
    return section;
  });
  at("operations").replaceChildren(...parts);
}

at("key").value = sessionStorage.getItem("onefold.key") || "";
at("key").addEventListener("input", () => sessionStorage.setItem("onefold.key", at("key").value.trim()));
at("enter").addEventListener("submit", (event) => event.preventDefault());
show();
