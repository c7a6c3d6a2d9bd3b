// A service: a value whose type says all, so that declarations can be made from it without inference.

import type { Method, NotedOption, Service } from '../model.ts'
import { methodKey } from '../names.ts'
import { docComment } from './comment.ts'
import { type Doc, hardline, indent, line, list } from './layout.ts'
import type { Scope } from './scope.ts'
import { typeParameters } from './statement.ts'

const NOTES: Record<NotedOption, string> = {
  async: 'Declared `async`: every call is, its result is awaited when it is needed.',
  per_node_arg: 'Declared `per_node_arg`: the call option `perNode` gives every node a request of its own.',
  custom_return_type: 'Declared `custom_return_type`: a quorum function of the client may return any type.',
}

export function serviceDeclaration(service: Service, scope: Scope): Doc {
  const name = scope.type({ fullName: service.fullName, file: scope.file.name })
  const types = service.methods.map((method): Doc => [hardline, methodType(method, scope)])
  const values = service.methods.map((method): Doc => [hardline, methodValue(method, scope), ','])
  const type = scope.runtimeType('Service')
  const declare = scope.runtime('service')
  if (service.methods.length === 0) {
    return [
      docComment(service),
      `export const ${name}: ${type}<Record<string, never>> = ${declare}('${service.fullName}', {})`,
    ]
  }
  return [
    docComment(service),
    `export const ${name}: ${type}<{`,
    indent(types),
    hardline,
    `}> = ${declare}('${service.fullName}', {`,
    indent(values),
    hardline,
    '})',
  ]
}

function isOneWay({ callType }: Method): boolean {
  return callType === 'unicast' || callType === 'multicast'
}

function methodType(method: Method, scope: Scope): Doc {
  const { request, reply } = method
  const types = [`'${method.callType}'`, scope.inputType(request), scope.type(request)]
  if (isOneWay(method)) types.push('void', 'void')
  else types.push(scope.inputType(reply), scope.type(reply))
  const comment = docComment(
    method,
    method.noted.map((option) => NOTES[option]),
  )
  return [comment, `readonly ${methodKey(method.name)}: ${scope.runtimeType('Method')}`, typeParameters(types)]
}

function methodValue(method: Method, scope: Scope): Doc {
  const options = [`name: '${method.name}'`, `request: ${scope.value(method.request)}`]
  if (!isOneWay(method)) options.push(`reply: ${scope.value(method.reply)}`)
  const declare = scope.runtime(method.callType)
  return [`${methodKey(method.name)}: ${declare}(`, list('{', options, '}', line), ')']
}
