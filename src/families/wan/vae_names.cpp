#include "families/wan/tensor_names.h"

// The original names are those of https://github.com/Wan-Video/Wan2.2 (wan/modules/vae2_1.py, vae2_2.py).

namespace t2v {
namespace {

/// Tensors inside a block of any kind.
RenameTable inside_block() {
  return {
      {"residual.0.*", "norm1.*"},    {"residual.2.*", "conv1.*"},       {"residual.3.*", "norm2.*"},
      {"residual.6.*", "conv2.*"},    {"shortcut.*", "conv_shortcut.*"}, {"resample.*", "resample.*"},
      {"time_conv.*", "time_conv.*"},
  };
}

void add_half(const std::string& half, RenameTable& table) {
  const RenameTable block = inside_block();
  table.push_back({half + ".conv1.*", half + ".conv_in.*"});
  table.push_back({half + ".middle.0.*", half + ".mid_block.resnets.0.*", block});
  table.push_back({half + ".middle.1.*", half + ".mid_block.attentions.0.*"});
  table.push_back({half + ".middle.2.*", half + ".mid_block.resnets.1.*", block});
  table.push_back({half + ".head.0.*", half + ".norm_out.*"});
  table.push_back({half + ".head.2.*", half + ".conv_out.*"});
}

constexpr int kMostBlocks = 1000;

bool is_resample(const HasTensor& has, const std::string& name) { return has(name + ".resample.1.weight"); }
bool is_block(const HasTensor& has, const std::string& name) { return has(name + ".residual.2.weight"); }

Rename block_entry(const std::string& from, const std::string& to) {
  return {from + ".*", to + ".*", inside_block()};
}

/// Wan2.1 has one list: a level ends with its upsampler.
void add_list(const HasTensor& has, RenameTable& table) {
  for (int n = 0, level = 0, resnet = 0; n < kMostBlocks; ++n) {
    const std::string from = "decoder.upsamples." + std::to_string(n);
    const std::string to = "decoder.up_blocks." + std::to_string(level);
    if (is_resample(has, from)) {
      table.push_back(block_entry(from, to + ".upsamplers.0"));
      ++level;
      resnet = 0;
    } else if (is_block(has, from)) {
      table.push_back(block_entry(from, to + ".resnets." + std::to_string(resnet++)));
    } else {
      return;
    }
  }
}

/// Wan2.2 has a list for each level. False if there is no such level.
bool add_level(const HasTensor& has, const std::string& from, const std::string& to, RenameTable& table) {
  const bool is_encoder = from.starts_with("encoder.");
  for (int n = 0; n < kMostBlocks; ++n) {
    const std::string inner = from + "." + std::to_string(n);
    if (is_resample(has, inner)) {
      table.push_back(block_entry(inner, to + (is_encoder ? ".downsampler" : ".upsampler")));
    } else if (is_block(has, inner)) {
      table.push_back(block_entry(inner, to + ".resnets." + std::to_string(n)));
    } else {
      return n > 0;
    }
  }
  return true;
}

}  // namespace

RenameTable original_vae_names() {
  RenameTable table = {{"conv1.*", "quant_conv.*"}, {"conv2.*", "post_quant_conv.*"}};
  add_half("encoder", table);
  add_half("decoder", table);
  table.push_back({"encoder.downsamples.#.*", "encoder.down_blocks.#.*", inside_block()});
  return table;
}

RenameTable original_vae_levels(const HasTensor& has) {
  RenameTable table;
  add_list(has, table);
  for (int level = 0; level < kMostBlocks; ++level) {
    const std::string i = std::to_string(level);
    const bool down =
        add_level(has, "encoder.downsamples." + i + ".downsamples", "encoder.down_blocks." + i, table);
    const bool up = add_level(has, "decoder.upsamples." + i + ".upsamples", "decoder.up_blocks." + i, table);
    if (!down && !up) break;
  }
  return table;
}

}  // namespace t2v
