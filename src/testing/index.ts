// The public names of gorums/testing: what tests of replicated services are made with.

/**
 * For tests: clusters in this process, simulated worlds, leak and linearizability checks, faults between sockets.
 *
 * @module gorums/testing
 */

export {
  type Direction,
  FaultProxy,
  type FaultProxyCounters,
  type FaultProxyOptions,
  startFaultProxy,
  type Treatment,
} from './fault-proxy.ts'
export { checkLeaks, type LeakCheck, type LeakCheckOptions, type TestContextLike } from './leak-check.ts'
export * from './linearizability/index.ts'
export {
  type ClusterSetup,
  clusterNodeID,
  type ForEachNode,
  type LocalCluster,
  type LocalClusterOptions,
  startLocalCluster,
} from './local-cluster.ts'
export * from './simulation/index.ts'
export { type TestConfigurationOptions, type TestNode, testConfiguration } from './test-configuration.ts'
