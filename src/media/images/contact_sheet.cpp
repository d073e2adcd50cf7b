#include "media/images/contact_sheet.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "media/images/image_resize.h"

namespace t2v {
namespace {

constexpr int64_t kLongestSide = 320, kShortestSide = 48;
constexpr int64_t kSheetSide = 4096;  // pixels, about, that a full sheet has
constexpr int64_t kGap = 4;
constexpr uint8_t kPaper = 24, kInk = 224;

// The label: glyphs of 5x7 points, a row a number, its leftmost point the highest of five bits.

constexpr int64_t kGlyphWidth = 5, kGlyphHeight = 7, kPoint = 2;
constexpr int64_t kAdvance = (kGlyphWidth + 1) * kPoint;
constexpr int64_t kLabelHeight = (kGlyphHeight + 2) * kPoint;

using Glyph = std::array<uint8_t, kGlyphHeight>;
constexpr std::array<Glyph, 10> kDigits = {{
    {0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110},
    {0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110},
    {0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111},
    {0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110},
    {0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010},
    {0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110},
    {0b01110, 0b10000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110},
    {0b11111, 0b00001, 0b00010, 0b00010, 0b00100, 0b00100, 0b00100},
    {0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110},
    {0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00001, 0b01110},
}};
constexpr Glyph kDash = {0, 0, 0, 0b01110, 0, 0, 0};
constexpr Glyph kDot = {0, 0, 0, 0, 0, 0b01100, 0b01100};

Glyph glyph_of(char character) {
  if (character >= '0' && character <= '9') return kDigits[character - '0'];
  if (character == '-') return kDash;
  return character == '.' ? kDot : Glyph{};
}

void fill_point(Frames& sheet, int64_t x, int64_t y) {
  for (int64_t row = y; row < y + kPoint; ++row) {
    std::fill_n(sheet.rgb.begin() + 3 * (row * sheet.width + x), 3 * kPoint, kInk);
  }
}

int64_t width_of(const std::string& label) { return static_cast<int64_t>(label.size()) * kAdvance; }

/// In the middle of `width`; (x, y) is its upper left corner.
void draw_label(Frames& sheet, const std::string& label, int64_t x, int64_t y, int64_t width) {
  x += (width - width_of(label)) / 2;
  for (const char character : label) {
    const Glyph glyph = glyph_of(character);
    for (int64_t row = 0; row < kGlyphHeight; ++row) {
      for (int64_t column = 0; column < kGlyphWidth; ++column) {
        if ((glyph[row] >> (kGlyphWidth - 1 - column) & 1) == 0) continue;
        fill_point(sheet, x + column * kPoint, y + (row + 1) * kPoint);
      }
    }
    x += kAdvance;
  }
}

void draw_picture(Frames& sheet, const Frames& picture, int64_t x, int64_t y) {
  for (int64_t row = 0; row < picture.height; ++row) {
    std::copy_n(picture.rgb.begin() + 3 * row * picture.width, 3 * picture.width,
                sheet.rgb.begin() + 3 * ((y + row) * sheet.width + x));
  }
}

int64_t columns_of(int64_t pictures) {
  return static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(pictures))));
}

}  // namespace

int64_t sheet_picture_side(int64_t pictures) {
  return std::clamp(kSheetSide / columns_of(std::max<int64_t>(pictures, 1)), kShortestSide, kLongestSide);
}

Frames shrunk_to(const Frames& picture, int64_t side) {
  const int64_t longest = std::max(picture.height, picture.width);
  if (longest <= side) return picture;
  const auto shrunk = [&](int64_t length) { return std::max<int64_t>(length * side / longest, 1); };
  return resize(picture, shrunk(picture.height), shrunk(picture.width), ResizeFilter::kLanczos);
}

Frames contact_sheet(const std::vector<LabelledPicture>& pictures) {
  int64_t width = 0, height = 0;
  for (const auto& [picture, label] : pictures) {
    width = std::max({width, picture.width, width_of(label)});
    height = std::max(height, picture.height);
  }
  const auto count = static_cast<int64_t>(pictures.size());
  const int64_t columns = columns_of(count), rows = (count + columns - 1) / columns;
  const int64_t cell_width = width + kGap, cell_height = height + kLabelHeight + kGap;
  Frames sheet{
      .count = 1, .height = rows * cell_height + kGap, .width = columns * cell_width + kGap, .rgb = {}};
  sheet.rgb.assign(3 * sheet.height * sheet.width, kPaper);
  for (int64_t i = 0; i < count; ++i) {
    const auto& [picture, label] = pictures[i];
    const int64_t x = kGap + i % columns * cell_width, y = kGap + i / columns * cell_height;
    draw_picture(sheet, picture, x + (width - picture.width) / 2, y + (height - picture.height) / 2);
    draw_label(sheet, label, x, y + height, width);
  }
  return sheet;
}

}  // namespace t2v
