#pragma once

#include <functional>
#include <string>
#include <vector>

#include "families/rename.h"

namespace t2v {

/// Whether files have a tensor of this name.
using HasTensor = std::function<bool(const std::string&)>;

/// One way in which publishers name the tensors of a part of a model.
struct KeyMap {
  std::string naming;      ///< "diffusers", "original", "llama.cpp", ...
  std::string marker;      ///< a tensor that every part with these names has, and nothing else
  RenameTable table = {};  ///< to the names of diffusers; a name that it lacks stays as it is
  /// Makes entries that depend on the tensors of the file; they come before the entries of `table`.
  std::function<RenameTable(const HasTensor& has)> make_entries = nullptr;
};

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
