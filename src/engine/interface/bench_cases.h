#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "families/clip_shape.h"

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

/// Error (kUsage) for a word that is neither a case nor the beginning of one.
void check_bench_words(const std::vector<std::string>& words);

/// Those for a CPU, or for a GPU, that the words name, each a name or the beginning of some; without words
/// all of them. One that is named in full is taken alone, wherever it is for, and so are those of a beginning
/// if none of them is for the device.
std::vector<BenchSpec> choose_bench_specs(const std::vector<std::string>& words, bool on_cpu);

/// In words: "a block of 14b, 832x480, 81 frames".
std::string describe(const BenchSpec& spec);

/// A clip of a synthetic model is sampled in so many steps, as of a model that was distilled to few, without
/// guidance.
inline constexpr int64_t kBenchSteps = 4;

/// config.json of a published model: "1.3b", "14b", "5b", "vae.2.1", "vae.2.2", "umt5-xxl", or of the bundled
/// one: "tiny", "vae.tiny", "t5.tiny". "1.3b-2": of the same with two blocks.
nlohmann::json bench_config(const std::string& model);

/// The VAE and the text encoder that belong to a transformer; as many blocks are cut off the latter.
std::string vae_of(const std::string& transformer);
std::string text_encoder_of(const std::string& transformer);

}  // namespace t2v
