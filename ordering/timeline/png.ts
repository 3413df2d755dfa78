// A timeline as PNG, which n8n shows where it shows no SVG. Nothing is loaded before the first one.
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { PictureError } from '../errors';
import { pictureWidth } from './draw';
import type { PngWork } from './png.worker.mjs';

/** A PNG has no more pixels than this: they take a second or two and, while they are drawn, some 200 MB. */
const mostPixels = 16_000_000;

/** The tallest SVG that fits in a PNG, in px. */
export const tallest = mostPixels / pictureWidth;

const built = !__filename.endsWith('.ts');
const folder = built ? join(__dirname, 'timeline') : __dirname;
/** From the sources, Node takes the types off by itself. */
const worker = join(folder, built ? 'png.worker.mjs' : 'png.worker.mts');
/** A library's file. In the built package it lies beside the worker (gulpfile.js). */
const fileOf = (path: string) => (built ? join(folder, basename(path)) : require.resolve(path));

/** Narrow, so that texts fit as they are measured in text.ts. */
const fonts = () => ['DejaVuSansCondensed', 'DejaVuSansCondensed-Bold', 'DejaVuSansMono'].map((name) => fileOf(`dejavu-fonts-ttf/ttf/${name}.ttf`));

/** Node has it; its types have only what it makes. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<WebAssembly.Module> };

let compiled: WebAssembly.Module | undefined;
async function resvgModule(): Promise<WebAssembly.Module> {
	return (compiled ??= await WebAssembly.compile(new Uint8Array(await readFile(fileOf('@resvg/resvg-wasm/index_bg.wasm')))));
}

/** One after the other, however many nodes draw: each takes much memory. */
const oneAtATime = pLimit(1);

/** Twice as sharp as the SVG where that is not too large. `height` is the SVG's in px, at most {@link tallest}. Throws `PictureError`. */
export async function pngOf(svg: string, height: number): Promise<Buffer> {
	const zoom = 4 * pictureWidth * height <= mostPixels ? 2 : 1;
	const png = oneAtATime(async () => await drawnByWorker({ svg, zoom, resvg: await resvgModule(), fonts: fonts() }));
	return await png.catch((error: Error) => Promise.reject(new PictureError(error.message)));
}

function drawnByWorker(workerData: PngWork): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		// without what n8n itself was started with, such as files to load first
		const thread = new Worker(worker, { workerData, execArgv: [] });
		thread.once('message', (png: Uint8Array) => resolve(Buffer.from(png.buffer, png.byteOffset, png.byteLength)));
		thread.once('error', reject);
		thread.once('exit', (code) => reject(new Error(`its thread ended with code ${code} and gave none`)));
	});
}
