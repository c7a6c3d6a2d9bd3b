// The public declarations as one text: for each entry point what it exports, then everything that these mention without
// exporting it. Made from the declarations that tsc would write, without comments, so that a change of it is a change of
// the API. The text is TypeScript, which is how compare.ts reads it.

import path from 'node:path'
import ts from 'typescript'

const HEAD = `// The public declarations, written by "npm run api -- --update". A change here is a change of the API.
`
const printer = ts.createPrinter({ removeComments: true })

/** The report of the package in `root`: `entries` gives the source file of each name that can be imported. */
export function reportOf(root: string, entries: Readonly<Record<string, string>>): string {
  const program = declarationsOf(root, Object.values(entries))
  const checker = program.getTypeChecker()
  const known = new Map<ts.Symbol, string>()
  const queue: ts.Symbol[] = []
  /** Classes that can be made by their users; the constructors and static members of others are none of their business. */
  const makable = new Set<ts.Symbol>()
  const isOurs = (node: ts.Node): boolean => !node.getSourceFile().fileName.includes('/node_modules/')

  const modules = Object.entries(entries).map(([name, file]) => {
    const source = program.getSourceFile(declarationFile(path.join(root, file)))!
    const lines = checker
      .getExportsOfModule(checker.getSymbolAtLocation(source)!)
      .sort((one, other) => compareNames(one.name, other.name))
      .flatMap((exported) => {
        const symbol = targetOf(exported, checker)
        const first = known.get(symbol)
        if (first !== undefined) return [`export { ${exported.name} } from '${first}'`]
        known.set(symbol, name)
        queue.push(symbol)
        if (!exported.declarations!.some(isTypeOnly)) makable.add(symbol)
        return print(symbol, exported.name, makable.has(symbol))
      })
    return moduleText(name, lines)
  })

  const inner: { name: string; lines: string[] }[] = []
  for (let symbol = queue.shift(); symbol !== undefined; symbol = queue.shift()) {
    for (const mentioned of mentionedIn(symbol, checker, makable.has(symbol))) {
      if (known.has(mentioned) || !(mentioned.declarations ?? []).every(isOurs)) continue
      known.set(mentioned, '')
      queue.push(mentioned)
      inner.push({ name: mentioned.name, lines: print(mentioned, mentioned.name, false) })
    }
  }
  inner.sort((one, other) => compareNames(one.name, other.name))
  const rest = moduleText(
    '(mentioned)',
    inner.flatMap(({ lines }) => lines),
  )
  return `${HEAD}\n${[...modules, rest].join('\n')}`
}

/** A program of the declarations that tsc would write for these files and all that they import. */
function declarationsOf(root: string, files: readonly string[]): ts.Program {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const names = files.map((file) => path.join(root, file))
  const written = new Map<string, string>()
  ts.createProgram(names, { ...options, noEmit: false, declaration: true, emitDeclarationOnly: true }).emit(
    undefined,
    (file, text) => written.set(path.normalize(file), text),
  )
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  // Imports name the sources: there, and here, the declarations stand in for them.
  host.fileExists = (file) => written.has(file) || (fileExists(file) && !written.has(declarationFile(file)))
  host.readFile = (file) => written.get(file) ?? readFile(file)
  host.getSourceFile = (file, version) => {
    const text = written.get(file)
    return text === undefined ? getSourceFile(file, version) : ts.createSourceFile(file, text, version, true)
  }
  return ts.createProgram(names.map(declarationFile), options, host)
}

function declarationFile(file: string): string {
  return file.replace(/(?<!\.d)\.ts$/, '.d.ts')
}

function targetOf(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol)
}

/** The types and values of our own that the declarations of a symbol mention. */
function mentionedIn(symbol: ts.Symbol, checker: ts.TypeChecker, isMakable: boolean): ts.Symbol[] {
  const found: ts.Symbol[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isClassElement(node) && !isPublic(node, isMakable)) return
    const mentioned = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined
    if (mentioned !== undefined) {
      const target = targetOf(mentioned, checker)
      if (target.declarations?.some((each) => ts.isSourceFile(statementOf(each).parent))) found.push(target)
    }
    ts.forEachChild(node, visit)
  }
  for (const declaration of symbol.declarations ?? []) visit(declaration)
  return found
}

/** The declarations of a symbol as statements that export it under this name. */
function print(symbol: ts.Symbol, name: string, isMakable: boolean): string[] {
  return (symbol.declarations ?? []).flatMap((declaration) => {
    const statement = statementOf(declaration)
    const text = printer
      .printNode(ts.EmitHint.Unspecified, publicPart(statement, isMakable), statement.getSourceFile())
      .replace(/^(export )?(declare )?/, 'export ')
    const renamed = name === symbol.name ? text : `${text}\nexport { ${symbol.name} as ${name} }`
    return renamed.split('\n')
  })
}

function publicPart(statement: ts.Node, isMakable: boolean): ts.Node {
  if (!ts.isClassDeclaration(statement)) return statement
  const { modifiers, name, typeParameters, heritageClauses, members } = statement
  const shown = members.filter((member) => isPublic(member, isMakable))
  return ts.factory.updateClassDeclaration(statement, modifiers, name, typeParameters, heritageClauses, shown)
}

/** Not what is private or marked as internal; not constructors and static members of a class that is exported as a type alone. */
function isPublic(member: ts.ClassElement, isMakable: boolean): boolean {
  if (member.name !== undefined && ts.isPrivateIdentifier(member.name)) return false
  if (ts.getJSDocTags(member).some((tag) => tag.tagName.text === 'internal')) return false
  const modifiers = ts.getCombinedModifierFlags(member)
  if ((modifiers & ts.ModifierFlags.Private) !== 0) return false
  return isMakable || !(ts.isConstructorDeclaration(member) || (modifiers & ts.ModifierFlags.Static) !== 0)
}

function isTypeOnly(declaration: ts.Declaration): boolean {
  return ts.isExportSpecifier(declaration) && (declaration.isTypeOnly || declaration.parent.parent.isTypeOnly)
}

/** The statement of a declaration: that of a variable is two levels up. */
function statementOf(declaration: ts.Declaration): ts.Node {
  return ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
}

function moduleText(name: string, lines: readonly string[]): string {
  return `declare module '${name}' {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`
}

function compareNames(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
