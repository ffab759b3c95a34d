// Draw avatars with DiceBear: one line of JSON options in, one picture of SIZE × SIZE RGBA bytes out.
//
//     node draw_avatars.mjs FOLDER SIZE < options > pixels
//
// FOLDER is where npm installed the packages that make_avatars.py names. Every option is given, so the seed from which
// DiceBear would draw the others decides nothing.

import { createRequire } from "node:module";
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, size] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { createAvatar } = await load("@dicebear/core");
const style = await load("@dicebear/big-smile");
const { Resvg } = require("@resvg/resvg-js");

function write(bytes) {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error; // the pipe is full
    }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const svg = createAvatar(style, { seed: "", ...JSON.parse(line) }).toString();
  const options = { fitTo: { mode: "width", value: Number(size) }, background: "white" };
  write(new Resvg(svg, options).render().pixels);
}
