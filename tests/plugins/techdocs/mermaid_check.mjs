// Reads a JSON list of diagrams from standard input and prints one line for each: the labels of its nodes, or the error.
import { JSDOM } from "jsdom";

const { window } = new JSDOM("");
globalThis.window = window;
globalThis.document = window.document;

const { default: mermaid } = await import("mermaid");

let input = "";
for await (const piece of process.stdin) input += piece;

for (const text of JSON.parse(input)) {
  try {
    await mermaid.parse(text);
    const diagram = await mermaid.mermaidAPI.getDiagramFromText(text);
    const nodes = [...diagram.db.getVertices().values()].map((node) => node.text);
    console.log(JSON.stringify({ nodes, edges: diagram.db.getEdges().length }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
