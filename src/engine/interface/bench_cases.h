#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "families/clip_shape.h"

namespace t2v {

/// Kind of work of a case.
enum class BenchKind { kGemm, kAttention, kBlock, kTransformer, kVae, kTextEncoder, kLoad, kClip };

/// A case: work with the shapes of a published model.
struct BenchSpec {
  std::string name;
  BenchKind kind;
  std::string model;    ///< name for bench_config(); "": the model of the request
  ClipShape clip = {};  ///< sets the number of tokens; a text encoder takes `num_frames` tokens
  bool on_cpu = false;
};

const std::vector<BenchSpec>& bench_specs();

/// Error (kUsage) for a word that is neither the name of a case nor the beginning of a name.
void check_bench_words(const std::vector<std::string>& words);

/// Chooses the cases that the words name. A word is a name or the beginning of names; without words all cases
/// of the kind of device are chosen. A full name chooses its case on any device. A beginning chooses cases of
/// the other kind of device only if no case of this kind has it.
std::vector<BenchSpec> choose_bench_specs(const std::vector<std::string>& words, bool on_cpu);

/// Description of a case: "a block of 14b, 832x480, 81 frames".
std::string describe(const BenchSpec& spec);

/// Steps of a clip with a synthetic model. It is sampled without guidance, like a step-distilled model.
inline constexpr int64_t kBenchSteps = 4;

/// config.json of a published model ("1.3b", "14b", "5b", "vae.2.1", "vae.2.2", "umt5-xxl") or of the bundled
/// model ("tiny", "vae.tiny", "t5.tiny"). "1.3b-2" is "1.3b" with two blocks.
nlohmann::json bench_config(const std::string& model);

/// The VAE and the text encoder of a transformer. The text encoder of "1.3b-2" has two blocks too.
std::string vae_of(const std::string& transformer);
std::string text_encoder_of(const std::string& transformer);

}  // namespace t2v
