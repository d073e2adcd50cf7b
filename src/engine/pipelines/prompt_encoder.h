#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/pipelines/component_loader.h"
#include "engine/pipelines/render_job.h"
#include "engine/pipelines/run_progress.h"
#include "tensors/tensor.h"

namespace t2v {

/// For each prompt its embeddings, [1, rows, dim].
using PromptEmbeds = std::vector<Tensor>;

/// The prompts of a clip: the prompt and, with guidance, the negative prompt.
std::vector<std::string> prompts_of(const CheckedRequest& request);

/// A text encoder of a family.
struct TextEncoder {
  std::string component;  ///< its name: "text_encoder"
  /// For each prompt [length] token ids, int64 on the CPU, without padding -> embeddings [1, length, dim].
  using Forward = std::function<PromptEmbeds(const std::vector<Tensor>& input_ids)>;
  std::function<Forward(const Weights& weights, const Config& config, const BlockResidency& residency)> make;
  int64_t max_sequence_length;  ///< tokens of a prompt; the rest is left out
  bool float16 = true;          ///< false: it computes in float32 where float16 is asked for
};

/// Encodes prompts. Takes known embeddings from memory or a folder. Loads the text encoder for the other
/// prompts, and releases it.
class PromptEncoder {
 public:
  /// Job, loader and progress have to outlive this.
  PromptEncoder(const RenderJob& job, const ComponentLoader& loader, const RunProgress& progress,
                TextEncoder text_encoder);

  /// Embeddings of each prompt, [1, length, dim], on the CPU. Error (kInput, kResource); Stopped.
  PromptEmbeds encode(const std::vector<std::string>& prompts) const;

 private:
  Placement placement() const;
  LoadOptions options() const { return {.placement = placement(), .keep_in_fp32 = {}}; }
  /// Embeddings from the folder of a PromptEmbedsCache, if there is one, and from the text encoder.
  PromptEmbeds find_or_compute(const std::vector<std::string>& prompts) const;
  PromptEmbeds compute(const std::vector<std::vector<int64_t>>& tokens) const;

  const RenderJob& job_;
  const ComponentLoader& loader_;
  const RunProgress& progress_;
  TextEncoder text_encoder_;
};

}  // namespace t2v
