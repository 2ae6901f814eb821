import type { components } from './daemon.gen';

type Schemas = components['schemas'];

/** One entity, with everything that was made of it. */
export type Entity = Schemas['EntityShown'];
export type EntityRow = Schemas['EntityRow'];
export type Artefacts = Schemas['ArtefactsShown'];
export type Artefact = Schemas['ArtefactShown'];
export type ArtefactState = Schemas['State'];
export type ArtefactText = Schemas['TextShown'];
export type Leaf = Schemas['LeafShown'];
export type Diff = Schemas['DiffShown'];
export type Change = Schemas['ChangeShown'];
export type Action = Schemas['Action'];
export type Finding = Schemas['Finding'];
export type Conflict = Schemas['ConflictShown'];
export type Coverage = Schemas['CoverageShown'];
export type Graph = Schemas['GraphShown'];
export type GraphNode = Schemas['NodeShown'];
export type GraphEdge = Schemas['EdgeShown'];
export type Neighbourhood = Schemas['Neighbourhood'];
export type May = Schemas['MayShown'];
export type OnCall = Schemas['OnCallShown'];
export type Run = Schemas['RunShown'];
export type Source = Schemas['SourceRow'];
export type Status = Schemas['StatusShown'];
export type Pause = Schemas['PauseShown'];
export type Spot = Schemas['Spot'];
