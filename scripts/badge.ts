// Draws a badge: a label and a value side by side, as SVG that needs no font and no service.

const HEIGHT = 20
/** About the width of a character of an 11 px sans-serif font, and the room at both sides of a text. */
const CHARACTER = 6.6
const PADDING = 7

/** The badge as the text of an SVG file. */
export function drawBadge(label: string, value: string): string {
  const [left, right] = [widthOf(label), widthOf(value)]
  const title = quote(`${label}: ${value}`)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="${HEIGHT}" role="img" aria-label="${title}">
  <title>${title}</title>
  <rect width="${left + right}" height="${HEIGHT}" rx="3" fill="#444"/>
  <path d="M${left} 0h${right - 3}a3 3 0 0 1 3 3v${HEIGHT - 6}a3 3 0 0 1-3 3h-${right - 3}z" fill="#2b6a9b"/>
  <g fill="#fff" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11" text-anchor="middle">
    <text x="${left / 2}" y="14">${quote(label)}</text>
    <text x="${left + right / 2}" y="14">${quote(value)}</text>
  </g>
</svg>
`
}

function widthOf(text: string): number {
  return Math.round(text.length * CHARACTER + 2 * PADDING)
}

function quote(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}
