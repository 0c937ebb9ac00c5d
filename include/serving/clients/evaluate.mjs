// Which variant a unit gets, from a published allocation.json alone: no library, no service, no state; browser or Node.
// Copy this file. It says the same as the decision service, as evaluate.py and as the SQL in docs/assignment.md.

const FORMATS = ["mulgil-allocation/1", "mulgil-allocation/2"]; // the second has slices, starts and ends
const TURNS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const SINES = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0);

// RFC 1321; browsers have no md5 of their own. The first 13 hexadecimal digits are all that is needed.
function md5Start(text) {
  const bytes = new TextEncoder().encode(text);
  const padded = new Uint8Array(((bytes.length + 8) >> 6) * 64 + 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, bytes.length << 3, true);
  view.setUint32(padded.length - 4, Math.floor(bytes.length / 2 ** 29), true);
  const state = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476];
  for (let block = 0; block < padded.length; block += 64) {
    let [a, b, c, d] = state;
    for (let i = 0; i < 64; i++) {
      const round = i >> 4;
      const mix = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round];
      const word = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] & 15;
      const sum = (a + mix + SINES[i] + view.getInt32(block + 4 * word, true)) | 0;
      const turn = TURNS[4 * round + (i & 3)];
      [a, d, c, b] = [d, c, b, (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0];
    }
    [a, b, c, d].forEach((part, i) => (state[i] = (state[i] + part) | 0));
  }
  const hex = (part) => [0, 8, 16, 24].map((by) => ((part >>> by) & 255).toString(16).padStart(2, "0")).join("");
  return (hex(state[0]) + hex(state[1])).slice(0, 13);
}

// A unit's place, in [0, 1): the first 52 bits of md5(salt:unit), which a double holds exactly.
export function place(unit, salt) {
  return parseInt(md5Start(`${salt}:${unit}`), 16) / 2 ** 52;
}

// Reads a published file, without asking who signed it.
export function readAllocation(text) {
  const allocation = JSON.parse(JSON.parse(text).signed);
  if (!FORMATS.includes(allocation.format)) {
    throw new Error(`The file is of format ${allocation.format}; this program reads ${FORMATS}.`);
  }
  return allocation;
}

// The variant of a unit; null where it takes no part. `now` is in seconds since 1970.
export function evaluate(experiment, unit, now = Date.now() / 1000) {
  const { slice, start = -Infinity, end = Infinity } = experiment;
  if (!(start <= now && now < end)) return null;
  const inLayer = slice && place(unit, slice.salt);
  if (slice && !(slice.low <= inLayer && inLayer < slice.high)) return null;
  const at = place(unit, experiment.salt);
  const part = experiment.ranges.find(({ low, high }) => low <= at && at < high);
  return part ? part.variant : null;
}
