#include "engine/pipelines/registry.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/pipelines/wan_cost_model.h"
#include "engine/pipelines/wan_networks.h"
#include "engine/pipelines/wan_pipeline.h"
#include "t2v/error.h"

namespace t2v {
namespace {

std::vector<FamilyPipelines>& families() {
  static std::vector<FamilyPipelines> families{
      {"Wan", kWanMaxSequenceLength, make_wan_pipeline, make_wan_cost_model, construct_wan_network,
       wan_keep_in_fp32},
  };
  return families;
}

}  // namespace

const FamilyPipelines& pipelines_of(const Checkpoint& checkpoint) {
  const std::string family = checkpoint.family->name();
  for (const FamilyPipelines& pipelines : families()) {
    if (pipelines.family == family) return pipelines;
  }
  throw Error(ErrorCode::kBug, {.doing = "rendering with " + checkpoint.origin,
                                .got = "the family " + family + " without a pipeline"});
}

std::unique_ptr<VideoPipeline> make_pipeline(RenderJob job, ModelStore& models, const RunControl& control) {
  models.begin(control, std::move(job.coming));
  return pipelines_of(job.checkpoint).make_pipeline(std::move(job), models, control);
}

std::unique_ptr<CostModel> make_cost_model(const Checkpoint& checkpoint, const CheckedRequest& request,
                                           Placement placement) {
  return pipelines_of(checkpoint).make_cost_model(checkpoint, request, placement);
}

RegisteredPipelines::RegisteredPipelines(const FamilyPipelines& pipelines) {
  families().push_back(pipelines);
}

RegisteredPipelines::~RegisteredPipelines() { families().pop_back(); }

}  // namespace t2v
