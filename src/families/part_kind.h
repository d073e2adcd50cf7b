#pragma once

#include <string>
#include <vector>

#include "families/key_map.h"

namespace t2v {

/// Tensors that some publishers join into one, rows after rows.
struct FusedTensors {
  std::string whole;               ///< a piece of the joined tensor's name: ".to_qkv."
  std::vector<std::string> parts;  ///< the same piece in the names of its parts, in the order of their rows
};

/// Tensors that t2v leaves out, with a warning.
struct IgnoredTensors {
  std::string piece;   ///< a piece of their names
  std::string reason;  ///< the warning, behind "leaving out the 12 tensors of "
};

/// How LoRA files name the modules of a transformer, beside the key maps of the transformer.
struct LoraNames {
  std::vector<std::string> parameters;  ///< endings of parameters that are no weight or bias, in diffusers
  std::string modulation;               ///< original name of the parameter that ".diff_m" changes
};

/// A kind of part that models of a family have.
struct PartKind {
  std::string name;     ///< in model_index.json: "transformer", "text_encoder_2", "tokenizer", ...
  std::string library;  ///< "diffusers" or "transformers"
  std::vector<std::string> classes;  ///< the library's classes that t2v supports; the first is the usual one
  std::string model_type = "";       ///< of its config.json, for a class of transformers
  std::string weights = "";          ///< name of its file of weights in the library: "model"; "": it has none
  bool required = true;              ///< every model of the family has it
  std::string where;                 ///< where it can be had
  std::string twin = "";             ///< the part whose network and key maps it shares: "transformer"
  std::string role = "";             ///< beside its twin: "low-noise expert"
  std::string tokenizer = "";        ///< the tokenizer that its files may bring along
  /// Pieces of the class name or model type in a config.json that belongs to it.
  std::vector<std::string> config_words = {};
  std::vector<KeyMap> key_maps = {};
  std::vector<FusedTensors> fused = {};
  std::vector<IgnoredTensors> ignored = {};
  LoraNames lora = {};

  /// The part whose network it has: itself, or its twin.
  const std::string& network() const { return twin.empty() ? name : twin; }
};

}  // namespace t2v
