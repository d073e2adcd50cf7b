#pragma once

#include "engine/pipelines/registry.h"

namespace t2v::testing {

/// The line of the Sketch family in the registry of pipelines.
FamilyPipelines sketch_pipelines();

}  // namespace t2v::testing
