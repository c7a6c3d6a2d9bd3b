// What has changed between two reports, and what that means to those who use the package. It can not know who makes an
// object and who only reads it, so it takes what may break somebody for what does.

import ts from 'typescript'

/** One difference, and whether code that compiled before may fail to compile. */
export interface Change {
  readonly breaks: boolean
  readonly text: string
}

/** A declaration by what it is: its text without its members, and these. Overloads are members too. */
interface Item {
  readonly head: string
  readonly members: ReadonlySet<string>
  /** Members that may be left out by whoever makes such an object. */
  readonly optional: ReadonlySet<string>
}

/** The differences between two reports, in the order of their names. */
export function changesBetween(before: string, after: string): Change[] {
  const [old, now] = [itemsOf(before), itemsOf(after)]
  const names = [...new Set([...old.keys(), ...now.keys()])].sort()
  return names.flatMap((name) => changesOf(name, old.get(name), now.get(name)))
}

/** The version that has to follow: before 1.0 a minor one may break, and a patch may add. Undefined: nothing has changed. */
export function nextVersion(version: string, changes: readonly Change[]): string | undefined {
  if (changes.length === 0) return undefined
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  const breaks = changes.some((change) => change.breaks)
  if (major === 0) return breaks ? `0.${minor + 1}.0` : `0.${minor}.${patch + 1}`
  return breaks ? `${major + 1}.0.0` : `${major}.${minor + 1}.0`
}

function changesOf(name: string, old: Item | undefined, now: Item | undefined): Change[] {
  // What is only mentioned can not be imported: that it appears or goes shows in those who mention it.
  const isInner = name.startsWith('(mentioned)')
  if (old === undefined) return isInner ? [] : [{ breaks: false, text: `${name} is new` }]
  if (now === undefined) return isInner ? [] : [{ breaks: true, text: `${name} is gone` }]
  if (old.head !== now.head) return [{ breaks: true, text: `${name} has changed` }]
  const gone = [...old.members].filter((member) => !now.members.has(member))
  const added = [...now.members].filter((member) => !old.members.has(member))
  return [
    ...gone.map((member) => ({ breaks: true, text: `${name}: gone or changed: ${member}` })),
    ...added.map((member) => ({ breaks: !now.optional.has(member), text: `${name}: new: ${member}` })),
  ]
}

function itemsOf(report: string): Map<string, Item> {
  const file = ts.createSourceFile('api.d.ts', report, ts.ScriptTarget.Latest, true)
  const items = new Map<string, { head: string; members: Set<string>; optional: Set<string> }>()
  for (const module of file.statements) {
    if (!ts.isModuleDeclaration(module) || module.body === undefined || !ts.isModuleBlock(module.body)) continue
    for (const statement of module.body.statements) {
      const key = `${module.name.text} ${nameOf(statement)}`
      const item = items.get(key) ?? { head: '', members: new Set(), optional: new Set() }
      items.set(key, item)
      const members = membersOf(statement)
      // A function is a list of overloads: one more is an addition.
      item.head += members === undefined || ts.isFunctionDeclaration(statement) ? '' : headOf(statement, members)
      if (members === undefined) item.head += plain(statement.getText())
      for (const member of members ?? []) {
        const text = plain(member.getText()).replace(/;$/, '')
        item.members.add(text)
        if (!ts.isInterfaceDeclaration(statement) || isOptional(member)) item.optional.add(text)
      }
    }
  }
  return items
}

/** What may grow without breaking anybody; undefined for what may not. */
function membersOf(statement: ts.Statement): readonly ts.Node[] | undefined {
  if (ts.isInterfaceDeclaration(statement) || ts.isClassDeclaration(statement)) return statement.members
  return ts.isFunctionDeclaration(statement) ? [statement] : undefined
}

function headOf(statement: ts.Statement, members: readonly ts.Node[]): string {
  const end = members[0]?.pos ?? statement.end
  return plain(statement.getSourceFile().text.slice(statement.getStart(), end))
}

function isOptional(member: ts.Node): boolean {
  return (ts.isPropertySignature(member) || ts.isMethodSignature(member)) && member.questionToken !== undefined
}

function nameOf(statement: ts.Statement): string {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0]!.name.getText()
  if (ts.isExportDeclaration(statement)) return statement.exportClause!.getText().replace(/[{}\s]/g, '')
  return (statement as ts.Statement & { name?: ts.Identifier }).name?.text ?? statement.getText()
}

function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
