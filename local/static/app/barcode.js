// Barcodes as rows of modules, "1" for a bar and "0" for a space: EAN-13 if the text is valid for it, else Code 128.
// Sources: GS1 General Specifications, 5.2 (EAN-13); ISO/IEC 15417 (Code 128). pass.js draws them.

const EAN_LEFT = ["0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011"]
const EAN_FIRST = ["LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL"]

// Alternating widths of bars and spaces for the values 0 to 105; the last is the stop pattern.
const CODE_128 =
  "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122 123221 " +
  "223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 " +
  "112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 " +
  "311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 " +
  "122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 " +
  "214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
const PATTERNS = CODE_128.split(" ").map((widths) => [...widths].map((width, at) => (at % 2 ? "0" : "1").repeat(width)).join(""))
const SWITCH_TO_C = 99
const SWITCH_TO_B = 100
const START_B = 104
const START_C = 105
const STOP = 106

/** Return the barcode of a text, `{ kind, modules, quiet }` (`quiet`: blank modules [left, right]), or null if impossible. */
export function barcode(text) {
  if (isEan13(text)) return { kind: "EAN-13", modules: ean13(text), quiet: [11, 7] }
  if (/^[ -~]+$/.test(text)) return { kind: "Code 128", modules: code128(text), quiet: [10, 10] }
  return null
}

/** Return whether the text is 13 digits ending in a valid check digit. */
export function isEan13(text) {
  if (!/^\d{13}$/.test(text)) return false
  const sum = [...text].reduce((total, digit, at) => total + digit * (at % 2 ? 3 : 1), 0)
  return sum % 10 === 0
}

function ean13(text) {
  const right = (digit) => [...EAN_LEFT[digit]].map((module) => 1 - module).join("")
  const left = (digit, set) => (set === "L" ? EAN_LEFT[digit] : [...right(digit)].reverse().join(""))
  const [first, ...digits] = text
  const lefts = digits.slice(0, 6).map((digit, at) => left(digit, EAN_FIRST[first][at]))
  return ["101", ...lefts, "01010", ...digits.slice(6).map(right), "101"].join("")
}

function code128(text) {
  const values = symbols(text)
  const check = values.reduce((sum, value, at) => sum + value * Math.max(at, 1), 0) % 103
  return [...values, check, STOP].map((value) => PATTERNS[value]).join("")
}

/** Encode a text as values, with the start character: digit pairs in set C if that is shorter, else set B. */
function symbols(text) {
  const values = []
  let set = ""
  const use = (wanted, start, change) => {
    if (set !== wanted) values.push(set ? change : start)
    set = wanted
  }
  let at = 0
  while (at < text.length) {
    const run = /^\d*/.exec(text.slice(at))[0].length
    const isAtEdge = at === 0 || at + run === text.length
    const isShorter = set === "C" ? run >= 2 : run >= (isAtEdge ? 4 : 6) || (run === 2 && text.length === 2)
    // the first digit of an odd run goes to set B if that is in use already
    if (isShorter && (set !== "B" || run % 2 === 0)) {
      use("C", START_C, SWITCH_TO_C)
      values.push(Number(text.slice(at, at + 2)))
      at += 2
    } else {
      use("B", START_B, SWITCH_TO_B)
      values.push(text.charCodeAt(at) - 32)
      at += 1
    }
  }
  return values
}
