// The linearizability checker: histories, models, the search, a picture.

export {
  type CheckOptions,
  type CheckResult,
  checkLinearizable,
  type Model,
  type PartitionCheck,
} from './checker.ts'
export { HistoryRecorder, hasNotRun, type Invocation, type Operation } from './history.ts'
export {
  type CounterInput,
  counterModel,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
  type TransactionInput,
  type TransactionOutput,
  transactionModel,
} from './models.ts'
export { drawHistory } from './picture.ts'
