#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "families/family.h"
#include "files/checkpoints/component.h"
#include "files/checkpoints/loose_files.h"

namespace t2v {

/// The paths that a user named for a model.
struct CheckpointSources {
  std::filesystem::path model = {};  ///< a whole checkpoint; empty: the parts are all there is
  /// Paths that replace parts of the model, by the name of the part; none is empty.
  std::map<std::string, std::filesystem::path> parts = {};
};

/// Metadata of a file with a transformer: its scheduler_config.json.
inline constexpr const char* kSchedulerMetadata = "scheduler_config";

/// A checkpoint as the headers of its files describe it, without LibTorch and without values. Its parts have
/// the names of model_index.json: transformer, vae, text_encoder, tokenizer, ...
struct Checkpoint {
  /// Reads every header and every config: of a diffusers folder, an original repository, a file, or of parts
  /// alone. A part that is nowhere is absent. Error (kInput) for files that are malformed or of no model that
  /// t2v knows, and for parts that do not belong together.
  static Checkpoint open(const CheckpointSources& sources);

  /// Whether there is a part of this name, a tokenizer among them.
  bool has(std::string_view part) const { return components.contains(part) || tokenizers.contains(part); }
  /// Error (kInput) that says where to get the part if it is absent.
  const Component& get(std::string_view part) const;
  const TokenizerSource& get_tokenizer(std::string_view part = "tokenizer") const;
  /// Whether some steps are computed by the twin of the denoiser.
  bool has_two_denoisers() const;

  /// The parts that the model lacks.
  std::vector<MissingPart> missing_parts() const;
  /// How to name a part that is absent, and where it can be had.
  std::string where_to_get(std::string_view part) const;
  /// Error (kInput) that names every part that rendering needs and that is absent, and where to get it.
  void expect_complete() const;

  /// Its headers, as its family sees them.
  ModelInfo info() const;
  /// The same without tensors and metadata.
  ModelInfo configurations() const;
  /// The pipeline class of diffusers that renders it.
  std::string pipeline() const { return index.text("_class_name", ""); }
  AcceptedConditions conditions() const { return family->conditions(configurations()); }
  /// Error (kInput) without a VAE, or for configurations that contradict each other.
  LatentGeometry geometry() const;

  const Family* family = nullptr;  ///< never null in a checkpoint that open() returned
  std::string origin;              ///< how errors call it
  std::map<std::string, Component, std::less<>> components = {};
  std::map<std::string, TokenizerSource, std::less<>> tokenizers = {};
  /// Class and settings of the pipeline, under the keys of model_index.json: read from there, or derived by
  /// the family from the parts.
  Config index = no_config();
  Config scheduler = no_config();  ///< scheduler_config.json
};

}  // namespace t2v
