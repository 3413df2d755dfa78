// Reads PNG files as resvg and Chromium write them (8 bits for each of red, green, blue and maybe alpha, not interlaced), and makes small ones of them.
import { crc32, deflateSync, inflateSync } from 'node:zlib';

export interface Pixels {
	width: number;
	height: number;
	/** Four bytes for each pixel, row by row. */
	rgba: Uint8Array;
}

const indexed = '0803000000';
/** By depth, kind of colour, compression, filter and interlace: with alpha, without, and one of a list of colours. */
const bytesOfPixel: Record<string, number> = { '0806000000': 4, '0802000000': 3, [indexed]: 1 };

/** Throws where the file is not whole, or of another kind. */
export function decoded(png: Buffer): Pixels {
	if (png.subarray(0, 8).toString('latin1') !== '\x89PNG\r\n\x1a\n') throw new Error('This is no PNG.');
	const chunks = chunksOf(png);
	const [header, end] = [chunks[0], chunks.at(-1)];
	if (header?.type !== 'IHDR' || end?.type !== 'IEND') throw new Error('The PNG is not whole.');
	const [width, height] = [header.data.readUInt32BE(0), header.data.readUInt32BE(4)];
	const kind = header.data.subarray(8).toString('hex');
	const bytes = bytesOfPixel[kind];
	if (!bytes) throw new Error(`The PNG is of another kind: ${kind}.`);
	const lines = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)));
	if (lines.length !== height * (width * bytes + 1)) throw new Error(`The PNG has ${lines.length} bytes of pixels.`);
	const pixels = unfiltered(lines, width * bytes, height, bytes);
	const palette = chunks.find(({ type }) => type === 'PLTE')?.data;
	if (kind === indexed && !palette) throw new Error('The PNG has no list of colours.');
	return { width, height, rgba: bytes === 4 ? pixels : opaque(palette && kind === indexed ? looked(pixels, palette) : pixels) };
}

/** A PNG of the 256 most frequent colours, others drawn in the nearest of these; what is transparent is lost. A third of the size. */
export function small({ width, height, rgba }: Pixels): Buffer {
	const counts = new Map<number, number>();
	const colours = Uint32Array.from({ length: width * height }, (_, i) => ((rgba[i * 4] as number) << 16) | ((rgba[i * 4 + 1] as number) << 8) | (rgba[i * 4 + 2] as number));
	for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
	const kept = [...counts].sort(([, a], [, b]) => b - a).slice(0, 256).map(([colour]) => colour);
	const places = new Map([...counts.keys()].map((colour) => [colour, nearestOf(kept, colour)]));
	const lines = Buffer.alloc(height * (width + 1));
	colours.forEach((colour, i) => (lines[Math.floor(i / width) * (width + 1) + 1 + (i % width)] = places.get(colour) as number));
	const header = Buffer.alloc(8);
	header.writeUInt32BE(width, 0);
	header.writeUInt32BE(height, 4);
	const palette = Buffer.from(kept.flatMap(partsOf));
	const parts = [chunk('IHDR', Buffer.concat([header, Buffer.from(indexed, 'hex')])), chunk('PLTE', palette), chunk('IDAT', deflateSync(lines, { level: 9 })), chunk('IEND', Buffer.alloc(0))];
	return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts]);
}

function partsOf(colour: number): number[] {
	return [colour >> 16, (colour >> 8) & 255, colour & 255];
}

/** The place of the colour that is nearest to this one. */
function nearestOf(colours: number[], colour: number): number {
	const wanted = partsOf(colour);
	const distances = colours.map((one) => partsOf(one).reduce((sum, part, i) => sum + (part - (wanted[i] as number)) ** 2, 0));
	return distances.indexOf(Math.min(...distances));
}

function chunk(type: string, data: Buffer): Buffer {
	const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
	const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
	length.writeUInt32BE(data.length);
	sum.writeUInt32BE(crc32(named));
	return Buffer.concat([length, named, sum]);
}

/** The share of pixels that look different, or 1 where the sizes differ. */
export function difference(one: Pixels, other: Pixels): number {
	if (one.width !== other.width || one.height !== other.height) return 1;
	let count = 0;
	for (let at = 0; at < one.rgba.length; at += 4) if ([0, 1, 2].some((i) => Math.abs((one.rgba[at + i] as number) - (other.rgba[at + i] as number)) > 48)) count++;
	return count / (one.rgba.length / 4);
}

function chunksOf(png: Buffer): Array<{ type: string; data: Buffer }> {
	const chunks: Array<{ type: string; data: Buffer }> = [];
	for (let at = 8; at < png.length; ) {
		const length = png.readUInt32BE(at);
		if (crc32(png.subarray(at + 4, at + 8 + length)) !== png.readUInt32BE(at + 8 + length)) throw new Error('A checksum of the PNG is wrong.');
		chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
		at += 12 + length;
	}
	return chunks;
}

/** Each line begins with the kind of its filter: what each byte is the difference to. */
function unfiltered(lines: Buffer, lineBytes: number, height: number, pixelBytes: number): Uint8Array {
	const bytes = new Uint8Array(lineBytes * height);
	for (let y = 0; y < height; y++) {
		const filter = lines[y * (lineBytes + 1)] as number;
		for (let x = 0; x < lineBytes; x++) {
			const at = y * lineBytes + x;
			const left = x < pixelBytes ? 0 : (bytes[at - pixelBytes] as number);
			const up = y === 0 ? 0 : (bytes[at - lineBytes] as number);
			const leftUp = x < pixelBytes || y === 0 ? 0 : (bytes[at - lineBytes - pixelBytes] as number);
			bytes[at] = (lines[y * (lineBytes + 1) + 1 + x] as number) + predicted(filter, left, up, leftUp);
		}
	}
	return bytes;
}

/** The three bytes of each colour for its place in the list. */
function looked(places: Uint8Array, palette: Buffer): Uint8Array {
	const rgb = new Uint8Array(places.length * 3);
	places.forEach((place, i) => rgb.set(palette.subarray(place * 3, place * 3 + 3), i * 3));
	return rgb;
}

/** With an alpha of 255 behind each three bytes. */
function opaque(rgb: Uint8Array): Uint8Array {
	const rgba = new Uint8Array((rgb.length / 3) * 4).fill(255);
	for (let i = 0; i < rgb.length / 3; i++) rgba.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);
	return rgba;
}

function predicted(filter: number, left: number, up: number, leftUp: number): number {
	switch (filter) {
		case 0: return 0;
		case 1: return left;
		case 2: return up;
		case 3: return Math.floor((left + up) / 2);
		case 4: return paeth(left, up, leftUp);
		default: throw new Error(`The PNG has a filter ${filter}.`);
	}
}

/** Of the three, the one that is nearest to left + up − left up. */
function paeth(left: number, up: number, leftUp: number): number {
	const [a, b, c] = [Math.abs(up - leftUp), Math.abs(left - leftUp), Math.abs(left + up - 2 * leftUp)];
	return a <= b && a <= c ? left : b <= c ? up : leftUp;
}
