// Counts the words of its standard input and prints the most frequent, as many as the argument
// says; words shorter than the variable MINIMUM says are left out. AssemblyScript:
//
//     asc words.ts --config node_modules/@assemblyscript/wasi-shim/asconfig.json -O3 -o words.wasm

const limit: i32 = process.argv.length > 1 ? <i32>parseInt(process.argv[1]) : 10;
const minimum: i32 = process.env.has("MINIMUM") ? <i32>parseInt(process.env.get("MINIMUM")) : 1;

const counts = new Map<string, i32>();
let total: i32 = 0;

function count(word: string): void {
  if (word.length < minimum) return;
  counts.set(word, (counts.has(word) ? counts.get(word) : 0) + 1);
  total += 1;
}

const buffer = new ArrayBuffer(1 << 16);
const bytes = Uint8Array.wrap(buffer);
let begun = ""; // a word that the last read cut in two
let length: i32 = process.stdin.read(buffer);
while (length > 0) {
  let start = 0;
  for (let end = 0; end < length; end++) {
    if (bytes[end] > 32) continue;
    count(begun + String.UTF8.decode(buffer.slice(start, end)));
    begun = "";
    start = end + 1;
  }
  begun += String.UTF8.decode(buffer.slice(start, length));
  length = process.stdin.read(buffer);
}
count(begun);

const words = counts.keys();
words.sort((a, b) => {
  const more = counts.get(b) - counts.get(a);
  return more != 0 ? more : a < b ? -1 : a > b ? 1 : 0;
});
for (let i = 0; i < words.length && i < limit; i++) {
  process.stdout.write(counts.get(words[i]).toString() + " " + words[i] + "\n");
}
process.stderr.write(total.toString() + " words\n");
process.exit(total == 0 ? 1 : 0);
