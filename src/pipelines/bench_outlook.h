#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "checkpoints/checkpoint.h"
#include "pipelines/bench_cases.h"
#include "pipelines/clip_cost.h"
#include "pipelines/synthetic_model.h"
#include "t2v/generate.h"

namespace t2v {

/// A clip, and what renders it.
struct BenchClip {
  GenerateRequest request;  ///< has passed check()
  Checkpoint checkpoint;
};

/// What cases are run on.
struct BenchSetting {
  Placement placement;
  int64_t repeats = 5;
  BenchClip named;    ///< what load.model and e2e.model take
  BenchClip bundled;  ///< what clips of synthetic models have from it: all but size, steps and weights
};

WanTransformer3DConfig bench_transformer(const std::string& model);
AutoencoderKLWanConfig bench_vae(const std::string& model);
LatentShape bench_latents(const BenchSpec& spec);

/// What a case of a whole clip renders.
BenchClip bench_clip(const BenchSpec& spec, const BenchSetting& setting, SyntheticValues values);

/// A folder on the disk where a model can be written.
std::filesystem::path bench_folder();

/// What a case takes, told from shapes alone.
struct BenchOutlook {
  int64_t tokens = 0;        ///< 0 where there are none
  int64_t blocks = 0;        ///< that are computed or stored in place of all; 0: all
  double memory = 0;         ///< bytes on the device
  uint64_t disk = 0;         ///< bytes of the file that is written, read and removed
  std::string note = "";     ///< "one block x 40"
  std::string refusal = "";  ///< why it cannot be run here; "" if it can
};
BenchOutlook look_at(const BenchSpec& spec, const BenchSetting& setting);

}  // namespace t2v
