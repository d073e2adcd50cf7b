#pragma once

#include <memory>

#include "engine/pipelines/cost_model.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/checked_request.h"
#include "tensors/tensor.h"

namespace t2v {

/// The costs of a clip with a Wan model. Checkpoint and request have to outlive it. Error (kInput).
std::unique_ptr<CostModel> make_wan_cost_model(const Checkpoint& checkpoint, const CheckedRequest& request,
                                               Placement placement);

}  // namespace t2v
