// Runs application.jsonata: told `show` or `run SECONDS` line by line, see src/mapping/child.rs.
"use strict";
const fs = require("fs");
const path = require("path");
const readline = require("readline");
const jsonata = require("jsonata");

const mapping = jsonata(fs.readFileSync(path.join(__dirname, "application.jsonata"), "utf8"));
const input = fs.readFileSync(process.argv[2]);

async function application() {
  return Buffer.from(JSON.stringify(await mapping.evaluate(JSON.parse(input.toString("utf8")))));
}

/** Seconds of processor time of the whole process: the collector of garbage has threads of its own. */
function spent() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [word, seconds] = line.split(" ");
    if (word === "hello") {
      console.log("ready");
    } else if (word === "show") {
      console.log((await application()).toString("utf8"));
    } else {
      const start = spent();
      let documents = 0;
      while (spent() - start < Number(seconds)) {
        for (let i = 0; i < 8; i++) await application();
        documents += 8;
      }
      console.log(`${documents} ${spent() - start}`);
    }
  }
}

main();
