// Draws one SVG as PNG in a thread of its own: n8n has other things to do meanwhile, and the memory goes with the thread.
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

/** What this thread is started with. */
export interface PngWork {
	svg: string;
	zoom: number;
	/** Compiled once for all threads. */
	resvg: WebAssembly.Module;
	/** Files: for text, for bold text, and for IDs. The first is taken for every font that is not among them. */
	fonts: string[];
}

const { svg, zoom, resvg, fonts } = workerData as PngWork;
await initWasm(resvg);
const font = { fontBuffers: fonts.map((file) => readFileSync(file)), defaultFontFamily: 'DejaVu Sans Condensed' };
// white, since the picture's corners are round, and what is transparent would be dark in n8n's dark theme
const png = new Resvg(svg, { font, fitTo: { mode: 'zoom', value: zoom }, background: '#ffffff' }).render().asPng();
parentPort?.postMessage(png, [png.buffer as ArrayBuffer]);
