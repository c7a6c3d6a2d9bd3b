// Generated code under the type checks of the project and the stricter ones that its users may have chosen.

import path from 'node:path'
import ts from 'typescript'

const root = path.resolve(import.meta.dirname, '../..')

/** What TypeScript has against these files, in one program, with the project's options and `changed` ones. */
export function typeErrors(files: readonly string[], changed: ts.CompilerOptions = {}): string[] {
  const config = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [] }, ts.sys, root)
  const program = ts.createProgram(files, {
    ...options,
    noEmit: true,
    declaration: true,
    isolatedDeclarations: true,
    isolatedModules: true,
    noPropertyAccessFromIndexSignature: true,
    noUncheckedSideEffectImports: true,
    allowUnreachableCode: false,
    allowUnusedLabels: false,
    ...changed,
  })
  const checked = new Set(files)
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file === undefined || checked.has(path.normalize(file.fileName)))
    .map(({ file, start, messageText }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, '\n')
      if (file === undefined || start === undefined) return text
      const { line } = file.getLineAndCharacterOfPosition(start)
      return `${path.relative(root, file.fileName)}:${line + 1}: ${text}`
    })
}
