// Reads Markdown as far as the tests of the documents need it: fenced blocks, headings, links, and the text outside of
// fences. Line numbers begin at 1. What the blocks mean is not known here.

/** A fenced block. */
export interface Block {
  /** The first word behind the fence; empty when there is none. */
  readonly language: string
  /** The words after the language. */
  readonly words: readonly string[]
  /** The line of the first line inside the fence. */
  readonly line: number
  readonly text: string
  /** The nearest heading above, without its marks. */
  readonly section: string
}

/** A link or image: `[text](target)`. */
export interface Link {
  readonly target: string
  readonly line: number
}

/** A document as its parts. */
export interface Document {
  readonly blocks: readonly Block[]
  readonly links: readonly Link[]
  /** The anchors that its headings can be reached by. */
  readonly anchors: ReadonlySet<string>
}

const FENCE = /^( *)(`{3,})([^`]*)$/
const HEADING = /^(#{1,6}) +(.+?) *$/
const LINK = /\[(?:[^\]`]|`[^`]*`)*\]\(([^()\s]+(?:\([^()]*\))?)\)/g

/** Reads a document. Throws for a fence that is never closed. */
export function readMarkdown(text: string): Document {
  const blocks: Block[] = []
  const links: Link[] = []
  const anchors = new Set<string>()
  let section = ''
  const lines = text.split('\n')
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!
    const fence = FENCE.exec(line)
    if (fence !== null) {
      const end = endOfFence(lines, index, fence[2]!)
      const [language = '', ...words] = fence[3]!.trim().split(/ +/)
      const indent = fence[1]!.length
      const inside = lines.slice(index + 1, end).map((each) => each.slice(Math.min(indent, each.search(/\S|$/))))
      blocks.push({ language, words, line: index + 2, text: inside.join('\n'), section })
      index = end
      continue
    }
    const heading = HEADING.exec(line)
    if (heading !== null) {
      section = heading[2]!
      anchors.add(unused(anchors, anchorOf(section)))
    }
    // The text of a link may go on in the next line.
    for (const match of `${line}\n${lines[index + 1] ?? ''}`.matchAll(LINK))
      if (match.index < line.length) links.push({ target: match[1]!, line: index + 1 })
  }
  return { blocks, links, anchors }
}

/** The anchor of a heading, as GitHub makes it. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')
}

function unused(anchors: ReadonlySet<string>, anchor: string): string {
  if (!anchors.has(anchor)) return anchor
  let number = 1
  while (anchors.has(`${anchor}-${number}`)) number++
  return `${anchor}-${number}`
}

function endOfFence(lines: readonly string[], start: number, fence: string): number {
  for (let index = start + 1; index < lines.length; index++) if (lines[index]!.trim() === fence) return index
  throw new Error(`line ${start + 1}: the fence is never closed`)
}
