// The public names of gorums, and nothing else.

/**
 * Services, configurations, calls, quorum systems, servers, replicas, errors and options.
 *
 * @module gorums
 */

// Services: what can be called.

export type { Codec, CodecInput, CodecOutput, EncodeTarget } from '../codec/codec.ts'
export {
  type CallType,
  type CodecMethodOptions,
  type CodecOneWayOptions,
  type Method,
  type MethodOptions,
  type Methods,
  multicast,
  quorumCall,
  quorumStream,
  rpc,
  type Service,
  unicast,
} from './call/service.ts'
export { service } from './default-service.ts'

// Clients: configurations of nodes.

export type { ClientOptions, ConfigurationClient, NodeClient } from './call/client.ts'
export type { Configuration, ConfigurationEvents, ConfigurationStatus } from './call/configuration.ts'
export {
  type ConnectOptions,
  connect,
  createNodeManager,
  type NodeManagerOptions,
  type SharedNodeManager as NodeManager,
  type WaitFor,
} from './call/connect.ts'
export type { CallingOptions } from './call/endpoint.ts'
export type { Node, NodeState } from './call/node.ts'
export type { NodeAddresses } from './call/node-addresses.ts'
export { byID, lastError, latency, type NodeOrder } from './call/order.ts'
export type { WaitOptions, WatchOptions } from './call/watch.ts'
export type { Latency } from './net/latency.ts'

// Calls: what a caller gets.

export type { StragglerPolicy } from './call/call-setup.ts'
export type { Correctable, CorrectableFunction, Level } from './call/correctable.ts'
export type { CallOptions, MulticastOptions, OneWayOptions, PerNode, QuorumCallOptions } from './call/prepare-call.ts'
export type { QuorumCall, QuorumFunction } from './call/quorum-call.ts'
export type { CallRecord, NodeRecord } from './call/record.ts'
export type { Replies, Response } from './call/response.ts'
export { type BoundQuorum, type QuorumSystem, quorum } from './quorum/index.ts'

// Servers and replicas.

export type { Context } from './call/context.ts'
export type { Handlers } from './call/registry.ts'
export { createReplica, type Replica, type ReplicaOptions } from './call/replica.ts'
export { type CloseOptions, createServer, type Server, type ServerOptions } from './call/server.ts'

// Interceptors.

export type {
  ClientInterceptor,
  InterceptedCall,
  MethodHooks,
  MethodInfo,
  NextHandler,
  ServerInterceptor,
} from './call/interceptor.ts'

// Errors.

export {
  type ErrorCode,
  type Executed,
  type Metadata,
  QuorumError,
  type QuorumErrorOptions,
  type QuorumErrorReason,
  RpcError,
  type RpcErrorOptions,
} from './errors.ts'

// Options, and what a runtime of one's own must be.

export { nodeStorage } from './net/node-storage.ts'
export type {
  AcceptHandler,
  ByteStream,
  ByteStreamHandler,
  ListenAddress,
  ListeningPort,
  PeerIdentity,
  Runtime,
  Storage,
  StorageFile,
  Timer,
  TlsOptions,
} from './net/runtime.ts'
export type { BackoffOptions, Limits, Logger, TransportOptions } from './options.ts'
