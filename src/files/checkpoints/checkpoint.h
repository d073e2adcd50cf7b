#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/config.h"
#include "files/checkpoints/component.h"
#include "files/checkpoints/loose_files.h"

namespace t2v {

/// The paths that a user named for a model.
struct CheckpointSources {
  std::filesystem::path model = {};  ///< a whole checkpoint; empty: the parts are all there is
  /// Paths that replace parts of the model, by the name of the part; none is empty.
  std::map<std::string, std::filesystem::path> parts = {};

  /// The path of a part; empty: not named.
  std::filesystem::path part(const std::string& name) const {
    const auto found = parts.find(name);
    return found == parts.end() ? std::filesystem::path() : found->second;
  }
};

/// How to name a component that is absent, and where it can be had.
std::string where_to_get(std::string_view component);

/// What a transformer's file may say of its pipeline, in its metadata: scheduler_config.json, and the
/// boundary_ratio of model_index.json.
inline constexpr const char* kSchedulerMetadata = "scheduler_config";
inline constexpr const char* kBoundaryMetadata = "boundary_ratio";

/// The pipeline of diffusers that renders a checkpoint.
enum class PipelineClass { kWan, kWanImageToVideo, kWanVACE };
/// "WanPipeline", ...: the _class_name of model_index.json.
std::string pipeline_class_name(PipelineClass pipeline);

/// A checkpoint as far as the headers of its files tell, without LibTorch and without values. Components are
/// called as in model_index.json: transformer, transformer_2, vae, text_encoder, image_encoder.
struct Checkpoint {
  /// Reads every header and every config: of a diffusers folder, an original repository, a file, or of parts
  /// alone. A component that is nowhere is absent. Error (kInput) for what is malformed or not of a Wan
  /// model, and for parts that do not belong together.
  static Checkpoint open(const CheckpointSources& sources);

  bool has(std::string_view component) const { return components.contains(component); }
  /// Error (kInput) that says where to get the component if it is absent.
  const Component& get(std::string_view component) const;
  /// Error (kInput) as get().
  const TokenizerSource& get_tokenizer() const;
  /// Error (kInput) that names every part that rendering needs and that is absent, and where to get it.
  void expect_complete() const;

  /// Whether the transformer is an expert for high noise, by its name, and the other one is not there.
  bool lacks_low_noise() const;
  /// The transformer as a sentence shows it, if it is one of two experts and the other one is not there: "the
  /// low-noise expert, by its name", or one of Wan2.2 I2V-A14B, by its tensors; else "".
  std::string lone_expert() const;

  int64_t spatial_multiple() const;   ///< height and width are multiples of this many pixels
  int64_t temporal_multiple() const;  ///< a clip has k * this + 1 frames

  std::string origin;  ///< what errors call it
  PipelineClass pipeline = PipelineClass::kWan;
  std::map<std::string, Component, std::less<>> components;
  std::optional<TokenizerSource> tokenizer;
  Config scheduler;                      ///< scheduler_config.json
  std::optional<double> boundary_ratio;  ///< timesteps from this part of 1000 up are transformer's, the
                                         ///< others' transformer_2's
  bool expand_timesteps = false;         ///< every token has a timestep of its own (TI2V-5B)
};

}  // namespace t2v
