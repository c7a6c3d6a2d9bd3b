// What is said of a .proto text: whether the generator accepts it, and where protoc or buf say something else.

export type Judgement = 'accepted' | 'refused'

export interface Verdict {
  readonly text: string
  /** Other files that it imports, by their paths. */
  readonly others: Readonly<Record<string, string>>
  readonly ours: Judgement
  readonly buf: Judgement
  /** That knows editions: 27 and later. */
  readonly protoc: Judgement
  readonly olderProtoc: Judgement
  /** Why they differ, when they do. */
  readonly why: string
}

export function p2(text: string): string {
  return `syntax = "proto2"; ${text}`
}

export function p3(text: string): string {
  return `syntax = "proto3"; ${text}`
}

export function e23(text: string): string {
  return `edition = "2023"; ${text}`
}

export function e24(text: string): string {
  return `edition = "2024"; ${text}`
}

/** An extension of `FieldOptions` or another message of options, and what follows it. */
export function optionsOf(message: string, text: string): string {
  return `import "google/protobuf/descriptor.proto"; extend google.protobuf.${message} ${text}`
}

/** By all of them. Texts without a package are given one of their own. */
export function accepted(text: string, others: Verdict['others'] = {}): Verdict {
  return { text, others, ours: 'accepted', buf: 'accepted', protoc: 'accepted', olderProtoc: 'accepted', why: '' }
}

/** By all of them. */
export function refused(text: string, others: Verdict['others'] = {}): Verdict {
  return { text, others, ours: 'refused', buf: 'refused', protoc: 'refused', olderProtoc: 'refused', why: '' }
}

/** What some of them say otherwise. Older versions of protoc are like newer ones, unless it is said. */
export function differs(
  how: Partial<Pick<Verdict, 'buf' | 'protoc' | 'olderProtoc'>> & Pick<Verdict, 'why'>,
  verdict: Verdict,
): Verdict {
  const protoc = how.protoc ?? verdict.protoc
  return { ...verdict, olderProtoc: protoc, ...how, protoc }
}
