// Puts a counter into every branch of a module's source: function bodies, both arms of every if and every ?:, loop bodies,
// cases, catch clauses, the right sides of &&, || and ??. What is counted is read in edges.ts. It knows no file in particular.

import ts from 'typescript'

export interface Instrumented {
  readonly text: string
  /** The source's line of each counter. */
  readonly lines: readonly number[]
}

/** Where a module gets its counters: `claim(name, lines)` of what edges.ts puts there. */
export const REGISTRY = 'gorums.fuzz.edges'
const COUNTERS = '$edges'

/** The JavaScript of a module with counters in it. `name` is what it is called in the registry: its path, `?` and its variant. */
export function instrument(source: string, name: string): Instrumented {
  let lines: readonly number[] = []
  const { outputText } = ts.transpileModule(source, {
    fileName: name.split('?')[0]!,
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
      allowJs: true,
      removeComments: true,
    },
    transformers: {
      before: [
        (context) => (root) => {
          const counting = new Counting(context, root)
          const counted = counting.visitFile()
          lines = counting.lines
          return counted
        },
      ],
    },
  })
  const claim = `const ${COUNTERS} = globalThis[Symbol.for('${REGISTRY}')].claim(${JSON.stringify(name)}, [${lines}]);\n`
  return { text: claim + outputText, lines }
}

class Counting {
  readonly lines: number[] = []
  readonly #context: ts.TransformationContext
  readonly #make: ts.NodeFactory
  readonly #file: ts.SourceFile
  /** The innermost node whose place in the source is known. */
  #position = 0

  constructor(context: ts.TransformationContext, file: ts.SourceFile) {
    this.#context = context
    this.#make = context.factory
    this.#file = file
  }

  visitFile(): ts.SourceFile {
    return ts.visitEachChild(this.#file, this.#visit, this.#context)
  }

  readonly #visit = (node: ts.Node): ts.Node => {
    // Types have conditionals and blocks of their own kinds; what is no code is left as it is.
    if (ts.isTypeNode(node)) return node
    const visited = ts.visitEachChild(node, this.#visit, this.#context)
    if (node.pos >= 0) this.#position = node.getStart(this.#file)
    return this.#branch(visited) ?? this.#loop(visited) ?? this.#body(visited) ?? visited
  }

  #branch(node: ts.Node): ts.Node | undefined {
    const make = this.#make
    if (ts.isIfStatement(node)) {
      const otherwise = node.elseStatement === undefined ? make.createBlock([this.#count()]) : node.elseStatement
      const counted = node.elseStatement === undefined ? otherwise : this.#statement(otherwise)
      return make.updateIfStatement(node, node.expression, this.#statement(node.thenStatement), counted)
    }
    if (ts.isConditionalExpression(node)) {
      const { condition, questionToken, whenTrue, colonToken, whenFalse } = node
      const [yes, no] = [this.#expression(whenTrue), this.#expression(whenFalse)]
      return make.updateConditionalExpression(node, condition, questionToken, yes, colonToken, no)
    }
    if (ts.isBinaryExpression(node)) {
      const { kind } = node.operatorToken
      const isLogical =
        kind === ts.SyntaxKind.AmpersandAmpersandToken ||
        kind === ts.SyntaxKind.BarBarToken ||
        kind === ts.SyntaxKind.QuestionQuestionToken
      if (!isLogical) return undefined
      return make.updateBinaryExpression(node, node.left, node.operatorToken, this.#expression(node.right))
    }
    if (ts.isCaseClause(node)) return make.updateCaseClause(node, node.expression, [this.#count(), ...node.statements])
    if (ts.isDefaultClause(node)) return make.updateDefaultClause(node, [this.#count(), ...node.statements])
    if (ts.isCatchClause(node)) return make.updateCatchClause(node, node.variableDeclaration, this.#block(node.block))
    return undefined
  }

  #loop(node: ts.Node): ts.Node | undefined {
    const make = this.#make
    if (ts.isWhileStatement(node))
      return make.updateWhileStatement(node, node.expression, this.#statement(node.statement))
    if (ts.isDoStatement(node)) return make.updateDoStatement(node, this.#statement(node.statement), node.expression)
    if (ts.isForStatement(node)) {
      const { initializer, condition, incrementor, statement } = node
      return make.updateForStatement(node, initializer, condition, incrementor, this.#statement(statement))
    }
    if (ts.isForOfStatement(node)) {
      const { awaitModifier, initializer, expression, statement } = node
      return make.updateForOfStatement(node, awaitModifier, initializer, expression, this.#statement(statement))
    }
    if (ts.isForInStatement(node))
      return make.updateForInStatement(node, node.initializer, node.expression, this.#statement(node.statement))
    return undefined
  }

  #body(node: ts.Node): ts.Node | undefined {
    const make = this.#make
    if (ts.isArrowFunction(node)) {
      const { modifiers, typeParameters, parameters, type, equalsGreaterThanToken, body } = node
      const counted = ts.isBlock(body) ? this.#block(body) : this.#expression(body)
      return make.updateArrowFunction(
        node,
        modifiers,
        typeParameters,
        parameters,
        type,
        equalsGreaterThanToken,
        counted,
      )
    }
    if (!ts.isFunctionLike(node) || !('body' in node)) return undefined
    const { body } = node
    if (body === undefined || !ts.isBlock(body)) return undefined
    return ts.visitEachChild(node, (child) => (child === body ? this.#block(body) : child), this.#context)
  }

  #statement(statement: ts.Statement): ts.Statement {
    this.#moveTo(statement)
    return ts.isBlock(statement) ? this.#block(statement) : this.#make.createBlock([this.#count(), statement])
  }

  #block(block: ts.Block): ts.Block {
    return this.#make.updateBlock(block, [this.#count(), ...block.statements])
  }

  #expression(expression: ts.Expression): ts.Expression {
    this.#moveTo(expression)
    const make = this.#make
    return make.createParenthesizedExpression(make.createComma(this.#increment(), expression))
  }

  /** What follows is counted where this node stands, when it is one of the source. */
  #moveTo(node: ts.Node): void {
    const original = ts.getOriginalNode(node)
    if (original.pos >= 0) this.#position = original.getStart(this.#file)
  }

  #count(): ts.Statement {
    return this.#make.createExpressionStatement(this.#increment())
  }

  #increment(): ts.Expression {
    const make = this.#make
    const counter = make.createElementAccessExpression(make.createIdentifier(COUNTERS), this.lines.length)
    this.lines.push(this.#file.getLineAndCharacterOfPosition(this.#position).line + 1)
    return make.createPostfixIncrement(counter)
  }
}
