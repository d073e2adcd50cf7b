#pragma once

#include <string_view>

#include "families/model_info.h"

namespace t2v {

/// The tensors that the class of `component` (transformer, transformer_2, vae, text_encoder, image_encoder)
/// has for this config.json, under the names of diffusers and transformers: its state_dict. Error (kInput)
/// for a value of the config that is out of range.
TensorShapes expected_tensors(std::string_view component, const Config& config);

/// Whether the reference ignores a tensor that expected_tensors() does not list: copies of others, and what a
/// published file has from another class.
bool is_ignored_tensor(std::string_view component, std::string_view name);

/// Whether t2v renders without this one of expected_tensors(): what comes after the layer it needs.
bool is_unused_tensor(std::string_view component, std::string_view name, const Config& config);

}  // namespace t2v
