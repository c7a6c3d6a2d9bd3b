// The public names of the package, value by value and type by type, and that there is no other way in.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type * as gorums from 'gorums'

const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  gorums: [
    'QuorumError',
    'RpcError',
    'byID',
    'connect',
    'createNodeManager',
    'createReplica',
    'createServer',
    'lastError',
    'latency',
    'multicast',
    'nodeStorage',
    'quorum',
    'quorumCall',
    'quorumStream',
    'rpc',
    'service',
    'unicast',
  ],
  'gorums/runtime': [
    'Any',
    'BoolValue',
    'BytesValue',
    'DoubleValue',
    'Duration',
    'Empty',
    'FieldMask',
    'FloatValue',
    'Int32Value',
    'Int64Value',
    'ListValue',
    'NullValue',
    'StringValue',
    'Struct',
    'Timestamp',
    'TimestampDate',
    'UInt32Value',
    'UInt64Value',
    'Value',
    'defineMessage',
    'generatedFor',
    'multicast',
    'protobuf',
    'quorumCall',
    'quorumStream',
    'rpc',
    'service',
    'unicast',
  ],
  'gorums/testing': [
    'FaultProxy',
    'HistoryRecorder',
    'Random',
    'SimulatedHost',
    'Simulation',
    'Trace',
    'checkLeaks',
    'checkLinearizable',
    'clusterNodeID',
    'counterModel',
    'drawFaults',
    'drawHistory',
    'drawTimeline',
    'endOfFaults',
    'faultKinds',
    'hasNotRun',
    'registerModel',
    'shrinkSchedule',
    'startFaultProxy',
    'startLocalCluster',
    'testConfiguration',
    'transactionModel',
  ],
  'gorums/codec/msgpack': ['msgpack'],
  'gorums/codec/protobuf': ['protobuf'],
}

for (const [entry, names] of Object.entries(ENTRIES)) {
  test(`${entry} exports these values and no others: ${names.join(', ')}`, async () => {
    assert.deepEqual(Object.keys(await import(entry)).sort(), [...names].sort())
  })
}

test('quorum makes these systems, and no others', async () => {
  const { quorum } = await import('gorums')
  assert.deepEqual(Object.keys(quorum).sort(), [
    'all',
    'byzantine',
    'choose',
    'grid',
    'intersects',
    'joint',
    'majority',
    'threshold',
    'weighted',
  ])
  assert.equal(Object.isFrozen(quorum), true)
})

test('the package has these entries, and its inside can not be imported', () => {
  const text = readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8')
  const { exports } = JSON.parse(text) as { exports: Record<string, unknown> }
  assert.deepEqual(Object.keys(exports).sort(), [
    '.',
    './codec/msgpack',
    './codec/protobuf',
    './package.json',
    './proto/*',
    './runtime',
    './testing',
  ])
})

/** The compiler checks these: a type that is renamed or no longer exported is an error here. */
export type PublicTypes = [
  gorums.BackoffOptions,
  gorums.BoundQuorum,
  gorums.CallOptions,
  gorums.CallRecord,
  gorums.CallType,
  gorums.ClientInterceptor,
  gorums.ClientOptions<gorums.Methods, object, object, undefined>,
  gorums.CloseOptions,
  gorums.Codec<object>,
  gorums.CodecInput<gorums.Codec<object>>,
  gorums.CodecOutput<gorums.Codec<object>>,
  gorums.Configuration,
  gorums.ConfigurationClient<gorums.Methods>,
  gorums.ConfigurationEvents,
  gorums.ConfigurationStatus,
  gorums.ConnectOptions,
  gorums.Context,
  gorums.Correctable<object>,
  gorums.CorrectableFunction<object, object, object>,
  gorums.EncodeTarget,
  gorums.ErrorCode,
  gorums.Executed,
  gorums.Handlers<gorums.Methods>,
  gorums.InterceptedCall,
  gorums.Level<object>,
  gorums.Limits,
  gorums.ListenAddress,
  gorums.Logger,
  gorums.Metadata,
  gorums.Method,
  gorums.MethodHooks,
  gorums.MethodInfo,
  gorums.MethodOptions,
  gorums.Methods,
  gorums.MulticastOptions<object>,
  gorums.NextHandler,
  gorums.Node,
  gorums.NodeAddresses,
  gorums.NodeClient<gorums.Methods>,
  gorums.NodeManager,
  gorums.NodeManagerOptions,
  gorums.NodeOrder,
  gorums.NodeRecord,
  gorums.NodeState,
  gorums.OneWayOptions,
  gorums.PeerIdentity,
  gorums.QuorumCall<object, object>,
  gorums.QuorumCallOptions<object>,
  gorums.QuorumErrorReason,
  gorums.QuorumSystem,
  gorums.Replica,
  gorums.ReplicaOptions,
  gorums.Replies<object>,
  gorums.Response<object>,
  gorums.RpcErrorOptions,
  gorums.Runtime,
  gorums.Server,
  gorums.ServerInterceptor,
  gorums.ServerOptions,
  gorums.Service,
  gorums.TlsOptions,
  gorums.TransportOptions,
  gorums.WaitFor,
]
