#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "pipelines/clip_cost.h"

namespace t2v {

/// What a case runs.
enum class BenchKind { kGemm, kAttention, kBlock, kTransformer, kVae, kTextEncoder, kLoad, kClip };

/// A case: work of the shape that a published model has.
struct BenchSpec {
  std::string name;
  BenchKind kind;
  std::string model;    ///< of bench_config(); "" for the model of the request
  ClipShape clip = {};  ///< its tokens count; of a text encoder `num_frames` tokens
  bool on_cpu = false;
};

const std::vector<BenchSpec>& bench_specs();

/// Those that the words name, each a name or the beginning of some; without words those for a CPU, or for a
/// GPU. Error (kUsage).
std::vector<BenchSpec> choose_bench_specs(const std::vector<std::string>& words, bool on_cpu);

/// In words: "a block of 14b, 32760 tokens".
std::string describe(const BenchSpec& spec);

/// config.json of a published model: "1.3b", "14b", "5b", "vae.2.1", "vae.2.2", "umt5-xxl", or of the bundled
/// one: "tiny", "vae.tiny".
nlohmann::json bench_config(const std::string& model);

/// The VAE that belongs to a transformer.
std::string vae_of(const std::string& transformer);

}  // namespace t2v
