//! The elements of HTML by name, and what is known of each.

/// An element, as far as it has a meaning for text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Link,
    Area,
    Base,
    Block,
    Body,
    Break,
    Button,
    Cell,
    DefinitionList,
    Description,
    Heading,
    HeadCell,
    Hidden,
    Image,
    Inline,
    Input,
    Item,
    /// A link to an element of the head, or one without an end tag that shows nothing.
    Nothing,
    Option,
    OrderedList,
    Other,
    Paragraph,
    Preformatted,
    Quote,
    QuotedWords,
    Raw,
    Row,
    RowGroup,
    Rule,
    Select,
    Superscript,
    Table,
    Term,
    TextArea,
    Title,
    UnorderedList,
    WordBreak,
}

/// The longest name of an element that is known.
const LONGEST: usize = 10;
/// How many there are.
pub(super) const COUNT: usize = Tag::WordBreak as usize + 1;

impl Tag {
    /// Returns the element of a name.
    pub(super) fn of(name: &[u8]) -> Tag {
        let mut lower = [0; LONGEST];
        let Some(lower) = lower.get_mut(..name.len()) else {
            return Tag::Other;
        };
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        match &*lower {
            b"a" => Tag::Link,
            b"area" => Tag::Area,
            b"base" => Tag::Base,
            b"address" | b"article" | b"aside" | b"caption" | b"center" | b"details"
            | b"dialog" | b"dir" | b"div" | b"fieldset" | b"figcaption" | b"figure" | b"footer"
            | b"form" | b"header" | b"hgroup" | b"legend" | b"main" | b"menu" | b"nav"
            | b"search" | b"section" | b"summary" | b"optgroup" | b"noframes" => Tag::Block,
            b"html" | b"head" | b"body" => Tag::Body,
            b"br" => Tag::Break,
            b"button" => Tag::Button,
            b"td" => Tag::Cell,
            b"th" => Tag::HeadCell,
            b"dl" => Tag::DefinitionList,
            b"dt" => Tag::Term,
            b"dd" => Tag::Description,
            b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => Tag::Heading,
            b"template" | b"datalist" => Tag::Hidden,
            b"img" | b"image" => Tag::Image,
            b"abbr" | b"b" | b"big" | b"cite" | b"code" | b"del" | b"em" | b"font" | b"i"
            | b"ins" | b"kbd" | b"label" | b"s" | b"small" | b"span" | b"strike" | b"strong"
            | b"sub" | b"tt" | b"u" => Tag::Inline,
            b"input" => Tag::Input,
            b"li" => Tag::Item,
            b"ul" => Tag::UnorderedList,
            b"ol" => Tag::OrderedList,
            b"meta" | b"link" | b"bgsound" | b"basefont" | b"col" | b"embed" | b"frame"
            | b"param" | b"source" | b"track" | b"keygen" => Tag::Nothing,
            b"option" => Tag::Option,
            b"p" => Tag::Paragraph,
            b"pre" | b"listing" | b"xmp" | b"plaintext" => Tag::Preformatted,
            b"blockquote" => Tag::Quote,
            b"q" => Tag::QuotedWords,
            b"script" | b"style" | b"iframe" | b"noembed" => Tag::Raw,
            b"tr" => Tag::Row,
            b"tbody" | b"thead" | b"tfoot" | b"colgroup" => Tag::RowGroup,
            b"hr" => Tag::Rule,
            b"select" => Tag::Select,
            b"sup" => Tag::Superscript,
            b"table" => Tag::Table,
            b"textarea" => Tag::TextArea,
            b"title" => Tag::Title,
            b"wbr" => Tag::WordBreak,
            _ => Tag::Other,
        }
    }

    /// Whether it has no content, and so no end.
    pub(super) fn is_void(self) -> bool {
        matches!(
            self,
            Tag::Area
                | Tag::Base
                | Tag::Break
                | Tag::Image
                | Tag::Input
                | Tag::Nothing
                | Tag::Rule
                | Tag::WordBreak
        )
    }

    /// Whether an end tag of an element around it ends it only if that is a block, too.
    pub(super) fn is_block(self) -> bool {
        !matches!(
            self,
            Tag::Inline
                | Tag::Link
                | Tag::Other
                | Tag::QuotedWords
                | Tag::Superscript
                | Tag::Button
                | Tag::Option
        )
    }

    /// Whether its start ends a paragraph (HTML section 13.2.6.4.7).
    pub(super) fn ends_paragraph(self) -> bool {
        matches!(
            self,
            Tag::Block
                | Tag::DefinitionList
                | Tag::Description
                | Tag::Heading
                | Tag::Item
                | Tag::OrderedList
                | Tag::Paragraph
                | Tag::Preformatted
                | Tag::Quote
                | Tag::Rule
                | Tag::Table
                | Tag::Term
                | Tag::UnorderedList
        )
    }

    /// Whether end tags within it close nothing outside of it.
    pub(super) fn is_wall(self) -> bool {
        matches!(self, Tag::Cell | Tag::HeadCell | Tag::Table | Tag::Hidden)
    }
}
