// Reads PNG files as resvg and Chromium write them: 8 bits for each of red, green, blue and maybe alpha, not interlaced.
import { crc32, inflateSync } from 'node:zlib';

export interface Pixels {
	width: number;
	height: number;
	/** Four bytes for each pixel, row by row. */
	rgba: Uint8Array;
}

/** By depth, kind of colour, compression, filter and interlace: with alpha, and without. */
const bytesOfPixel: Record<string, number> = { '0806000000': 4, '0802000000': 3 };

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
	return { width, height, rgba: bytes === 4 ? pixels : opaque(pixels) };
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
